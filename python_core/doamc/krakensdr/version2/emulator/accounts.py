"""What was sent to a client, and what was not: a reader can be held against it to the byte."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from doamc.krakensdr.version2.emulator.parcels import FRAGMENT, GARBAGE, PACKET, USABLE, Parcel

#: parts of a parcel that was not sent to its end
CUT = "cut"


@dataclass
class Account:
    """Counts of one client, or of all.

    packets: whole ones. states: of them by phase, and how many were ``usable``. marks: of them by what else holds.
    bytes: handed to the network, by kind: ``packet``, ``garbage``, ``fragment`` and ``cut`` (of whatever the
    connection ended in). lost: packets, whole or not, that its queue had no room for. unsent: those that it held in the
    end. broken: those of which something was missing or wrong, cut ones among them. faults: those that it got. ended:
    why the connection ended, or None.
    """

    peer: str = ""
    packets: int = 0
    states: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    unsent: int = 0
    broken: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ended: str | None = None

    @property
    def sent(self) -> int:
        """All bytes that were handed to the network."""
        return sum(self.bytes.values())

    def sent_whole(self, parcel: Parcel, size: int) -> None:
        """Count a parcel of so many bytes."""
        self.bytes[parcel.kind] += size
        if parcel.fault:
            self.faults[parcel.fault] += 1
        self.broken += parcel.kind == FRAGMENT
        if parcel.kind == PACKET:
            self.packets += 1
            self.states[parcel.phase] += 1
            self.states[USABLE] += parcel.usable
            self.marks.update(parcel.marks)

    def sent_in_part(self, parcel: Parcel, size: int) -> None:
        """Count so many bytes of a parcel that was not sent to its end."""
        self.bytes[CUT] += size
        self.broken += parcel.kind != GARBAGE

    def add(self, other: "Account") -> None:
        """Add the counts of another one."""
        for name in ("states", "marks", "bytes", "faults"):
            getattr(self, name).update(getattr(other, name))
        self.packets += other.packets
        self.lost += other.lost
        self.unsent += other.unsent
        self.broken += other.broken

    def in_words(self) -> str:
        """One line for a person."""
        states = ", ".join(f"{name} {count}" for name, count in self.states.items() if count) or "none"
        sizes = ", ".join(f"{kind} {size}" for kind, size in self.bytes.items() if size) or "none"
        left = f"; {self.ended}" if self.ended else ""
        lost = f"broken {self.broken}, lost {self.lost}, unsent {self.unsent}"
        return f"packets {self.packets} ({states}), {lost}; bytes {self.sent} ({sizes}){left}"

    def as_dict(self) -> dict[str, Any]:
        """Names and counts, for JSON."""
        counts = {k: dict(getattr(self, k)) for k in ("states", "marks", "bytes", "faults")}
        own = {k: getattr(self, k) for k in ("peer", "packets", "broken", "lost", "unsent", "ended")}
        return own | {"sent": self.sent} | counts
