"""What became of the bytes of a server of version 2: every one is counted, under what happened to it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from doamc.krakensdr.session import LinkCounters
from doamc.krakensdr.version2.gate import NOT_TAKEN, REASONS

PASSED = "passed"
#: what may become of a packet
FATES = (PASSED, *REASONS, NOT_TAKEN)


@dataclass
class Counters(LinkCounters):
    """Counts since the client was made.

    came: bytes. packets, packet_bytes: of those that were believed, by what became of them (`FATES`: passed on, or kept
    back by the first reason that applies; ``not_taken`` were good, but nobody took the samples in time). passed_over:
    bytes in which a packet was sought after the place was lost. cut_short: bytes of packets whose end never came.
    pending: bytes that wait for more. came = all packet_bytes + passed_over + cut_short + pending.
    resyncs: how often the place was lost. changes: of frequency, that were seen.
    lost_estimate, lost_uncertainty: samples a channel that never came, by the clock (see `StreamClock`).
    lock: held by who counts while not everything is counted; the properties and `as_dict` wait for it.
    """

    came: int = 0
    passed_over: int = 0
    cut_short: int = 0
    pending: int = 0
    resyncs: int = 0
    changes: int = 0
    lost_estimate: int = 0
    lost_uncertainty: int = 0
    packets: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    packet_bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def packet(self, fate: str, size: int) -> None:
        """Count a packet of so many bytes."""
        self.packets[fate] += 1
        self.packet_bytes[fate] += size

    @property
    def passed(self) -> int:
        """Packets that were passed on."""
        return self.packets[PASSED]

    @property
    def unaccounted(self) -> int:
        """Bytes that came and are counted nowhere: 0."""
        with self.lock:
            return self.came - sum(self.packet_bytes.values()) - self.passed_over - self.cut_short - self.pending

    def as_dict(self) -> dict[str, int]:
        """Names and counts: packets by what became of them, and bytes by ``bytes_`` and that."""
        with self.lock:
            counts: Mapping[str, int] = {
                "connects": self.connects, "failures": self.failures, "resyncs": self.resyncs, "changes": self.changes,
                "lost_estimate": self.lost_estimate, "lost_uncertainty": self.lost_uncertainty, "bytes": self.came,
                "bytes_passed_over": self.passed_over, "bytes_cut_short": self.cut_short, "bytes_pending": self.pending,
            }  # fmt: skip
            return {**counts, **self.packets, **{f"bytes_{fate}": n for fate, n in self.packet_bytes.items()}}
