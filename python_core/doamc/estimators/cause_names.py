"""Causes of a bad fit by their numbers in `Estimates.fit_cause`, and in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doamc.spec.geometry import MAX_ELEMENTS

if TYPE_CHECKING:
    from doamc.spec import ArraySpec

#: by their number; those of the channels follow, "channel 0 off", "channel 1 off", ..., and those of pairs of them
CAUSES = (
    "none", "unknown", "impulses", "converter offset", "outside the sector", "outside the prior", "coherent paths",
    "one more source", "unequal noise", "coloured noise", "common mode",
    "channels swapped",
)  # fmt: skip
UNKNOWN, IMPULSES, OFFSET, COHERENT = (
    CAUSES.index(cause) for cause in ("unknown", "impulses", "converter offset", "coherent paths")
)
#: what method `posterior` takes into account: by its wide prior, and by estimating again with a remedy
_WIDER = ("outside the sector", "outside the prior")
_REMEDIED = ("converter offset", "coherent paths", "unequal noise", "coloured noise", "common mode", "channels swapped")
CHANNEL = len(CAUSES)  #: number of the cause "channel 0 off"
PAIR = CHANNEL + MAX_ELEMENTS  #: and `swapped` of elements 0 and 0, which is none


def swapped(first: int, second: int) -> int:
    """Number of the cause that the channels of two elements are swapped."""
    return PAIR + MAX_ELEMENTS * first + second


def is_remedied(spec: "ArraySpec", number: int) -> bool:
    """Whether method `posterior` has an answer to a cause, for an array: the wide prior, or a remedy."""
    if number < CHANNEL and CAUSES[number] in _WIDER:
        return True
    return remediable(spec) and (number >= CHANNEL or CAUSES[number] in _REMEDIED)


def remediable(spec: "ArraySpec") -> bool:
    """Whether the array can be had as a receiver hears it (`coupling.received`), which remedies need."""
    return not spec.directional and not spec.family.hermitian


def model_words(remedy: int, wide_prior: bool, channels: Sequence[int] = ()) -> str:
    """What an estimate takes into account beside the specification: `Estimates.remedy` and `wide_prior`, in words."""
    cause = cause_name(remedy, channels)
    undone = {"unequal noise": "noise by channel", "converter offset": "mean removed"}.get(cause)
    undone = undone or (cause.replace(" off", " left out") if remedy >= CHANNEL else cause)
    return ", ".join([*([undone] if remedy else []), *(["wide prior"] if wide_prior else [])])


def cause_name(number: int, channels: Sequence[int] = ()) -> str:
    """Words for a number of `Estimates.fit_cause`; channels: element of each stream, where numbered otherwise."""
    if number < CHANNEL:
        return CAUSES[number]
    place = list(channels).index if channels else int
    if number < PAIR:
        return f"channel {place(number - CHANNEL)} off"
    first, second = sorted(place(element) for element in divmod(number - PAIR, MAX_ELEMENTS))
    return f"channels {first} and {second} swapped"
