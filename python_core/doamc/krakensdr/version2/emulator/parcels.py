"""What the emulated server sends in one piece, and the names of what it is, by which it is counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from doamc.krakensdr.version2.emulator.pack import pack
from doamc.krakensdr.version2.packet import CONVERGED, INDEPENDENT, PHASE_STATES, WIDEBAND, Header

#: whole packets; bytes that are none; packets of which something is missing or wrong
PACKET, GARBAGE, FRAGMENT = "packet", "garbage", "fragment"
#: a packet that may be used: converged, and none of the marks
USABLE = "usable"
MARKS = "noise", "retuning", "wideband", "independent", "channels"


@dataclass(frozen=True)
class Parcel:
    """Bytes that every client gets, one after the other, unless its queue is full.

    kind: PACKET, GARBAGE or FRAGMENT. phase: its name, of a packet. marks: what else holds of the packet, of MARKS.
    fault: what was done to it. stall_s: silence in its middle. close: the connection ends after it.
    """

    kind: str
    parts: Sequence[bytes | memoryview]
    phase: str = ""
    marks: tuple[str, ...] = ()
    fault: str | None = None
    stall_s: float = 0.0
    close: bool = False

    @property
    def usable(self) -> bool:
        """Whether its samples are of the antennas, calibrated and coherent."""
        return self.kind == PACKET and self.phase == PHASE_STATES[CONVERGED] and not self.marks


def packet(
    header: Header, samples: Sequence[memoryview], usual: int, fault: str | None = None, stall_s: float = 0.0
) -> Parcel:
    """A whole packet. samples: pieces of its payload. usual: channels that the receiver has otherwise."""
    held = (
        header.noise_source, header.retuning, bool(header.phase_state & WIDEBAND),
        bool(header.phase_state & INDEPENDENT), header.n_channels != usual,
    )  # fmt: skip
    marks = tuple(name for name, holds in zip(MARKS, held, strict=True) if holds)
    parts: list[bytes | memoryview] = [pack(header), *samples]
    return Parcel(PACKET, parts, header.phase, marks, fault, stall_s)
