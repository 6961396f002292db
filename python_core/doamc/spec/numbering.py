"""How the streams of a receiver are numbered: which element of the array each of them comes from.

In [geometry] `order`, of a circle, "counter-clockwise" (the default: stream m is element m) or "clockwise" (stream m is
element -m mod N); or `channels`, the element of each stream. Elements keep their places and their order in the library
whatever the streams do.
"""

from collections.abc import Sequence
from typing import Any

from doamc.errors import SpecificationError
from doamc.text import shown

ORDERS = ("counter-clockwise", "clockwise")
NUMBERING = ("order", "channels")  #: keys of [geometry] that say nothing about where elements stand


def channels_of(geometry: dict[str, Any], n_elements: int) -> tuple[int, ...]:
    """Element of each stream, a permutation of 0..N-1. Raises SpecificationError that names the entry."""
    if "order" in geometry and "channels" in geometry:
        raise SpecificationError("[geometry] takes order or channels, found both")
    if "channels" in geometry:
        return checked_channels(geometry["channels"], n_elements)
    order = geometry.get("order", ORDERS[0])
    if order not in ORDERS:
        raise SpecificationError(f"[geometry] order must be one of {', '.join(ORDERS)}, found {shown(order)}")
    if "order" in geometry and geometry["kind"] != "uca":
        found = shown(geometry["kind"])
        raise SpecificationError(f"[geometry] order is for circles (kind 'uca'), found it with {found}; use channels")
    return tuple(-m % n_elements if order == "clockwise" else m for m in range(n_elements))


def renumbered(channels: Sequence[int]) -> bool:
    """Whether streams are numbered otherwise than the elements that they come from."""
    return list(channels) != sorted(channels)


def checked_channels(channels: Any, n_elements: int, where: str = "[geometry] channels") -> tuple[int, ...]:
    """A list that holds each of 0..N-1 once, as a tuple; where: what it is called. Raises SpecificationError."""
    whole = isinstance(channels, list) and all(isinstance(c, int) and not isinstance(c, bool) for c in channels)
    if not whole or sorted(channels) != list(range(n_elements)):
        wanted = f"the element of each of {n_elements} streams, each of 0..{n_elements - 1} once"
        raise SpecificationError(f"{where} must be {wanted}, found {shown(channels)}")
    return tuple(channels)
