"""Packets that were kept back, in the order in which they came: runs of those that are alike.

A recording tells them (``doamc:between``), so that its replay sends the like of them in the same order.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.version2.packet import CHANNELS, SAMPLES, Header, as_meant
from doamc.text import shown

#: runs between two frames that are told, the newest ones; those before them are only counted
MOST = 100
#: by which it is told that the place in the stream was lost, and packets of unknown kind with it
LOST = "lost"
_PACKETS, _WORD = 10**9, 2**32 - 1


@dataclass
class Run:
    """Packets in a row, all kept back for the same reason.

    header: of each of them, but for the counter of changes and the scanner's group; None of those that were lost.
    retuned: whether the receiver was seen to be tuned before the first of them.
    """

    reason: str
    packets: int = 1
    header: Header | None = None
    retuned: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; a gain that is no number as None."""
        told: dict[str, Any] = {"reason": self.reason, "packets": self.packets}
        if self.retuned:
            told["retuned"] = True
        if (h := self.header) is None:
            return told
        gains = [as_meant(g) if math.isfinite(g) else None for g in h.gains_db]
        return told | {
            "phase_state": h.phase_state, "noise_source": h.noise_source, "retuning": h.retuning,
            "samples": h.n_samples, "frequency_hz": as_meant(h.frequencies_hz[0]), "gains_db": gains,
        }  # fmt: skip

    @classmethod
    def parse(cls, told: Any) -> "Run":
        """A run of what `as_dict` made. Raises ReceiverError on anything else."""
        try:
            reason, packets, retuned = str(told["reason"]), int(told["packets"]), bool(told.get("retuned"))
            header = header_of(told) if "phase_state" in told else None
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ReceiverError(f"expected a run of packets, found {shown(told)}") from error
        if not 1 <= packets <= _PACKETS:
            raise ReceiverError(f"expected a run of 1 to {_PACKETS} packets, found {shown(packets)}")
        return cls(reason, packets, header, retuned)


class Runs:
    """Collects what lies between two frames."""

    def __init__(self) -> None:
        self._found = deque[Run](maxlen=MOST)

    def keep_back(self, reason: str, header: Header, retuned: bool) -> None:
        """A packet was kept back; retuned: the receiver was seen to be tuned before it."""
        header = replace(header, changes=0, group=0)
        last = self._found[-1] if self._found else None
        if last is not None and not retuned and (last.reason, last.header) == (reason, header):
            last.packets += 1
        else:
            self._found.append(Run(reason, 1, header, retuned))

    def lose(self, packets: int) -> None:
        """So many packets, as far as is known, never came."""
        if packets:
            self._found.append(Run(LOST, packets))

    def take(self) -> tuple[dict[str, Any], ...]:
        """What was collected, as plain values; it begins anew."""
        told = tuple(run.as_dict() for run in self._found)
        self._found.clear()
        return told


def header_of(told: Mapping[str, Any]) -> Header:
    """The header of a packet that is told by plain values; the counter of changes and the scanner's group are 0.

    Raises ReceiverError when no header holds one of them; KeyError, TypeError or ValueError when one is none.
    """
    gains = tuple(math.nan if g is None else float(g) for g in told["gains_db"])
    samples, phase, hertz = int(told["samples"]), int(told["phase_state"]), float(told["frequency_hz"])
    m = len(gains)
    if not (
        CHANNELS[0] <= m <= CHANNELS[1] and SAMPLES[0] <= samples <= SAMPLES[1] and 0 <= phase <= _WORD
        and 0 <= hertz <= 1e12 and not any(abs(g) > 1e6 for g in gains)
    ):  # fmt: skip
        raise ReceiverError(
            f"expected {CHANNELS[0]} to {CHANNELS[1]} channels of {SAMPLES[0]} to {SAMPLES[1]} samples a packet, found "
            f"{m} and {shown(samples)}, or a phase state, frequency or gain that no packet holds"
        )
    noise, retuning = bool(told.get("noise_source")), bool(told.get("retuning"))
    return Header(m, samples, phase, noise, 0, 0, retuning, m * (hertz,), gains)
