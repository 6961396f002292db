"""Faults that an emulated server commits, drawn at random or told by the number of the frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from doamc.errors import ReceiverError

#: what each does to a frame
FAULTS = {
    "drop": "it is left out, the next one sent in its place",
    "duplicate": "it is sent again at the next request",
    "truncate": "half of its samples, then the connection is closed",
    "bad-sync": "its sync word is wrong",
    "garbage": "random bytes come instead, then the connection is closed",
    "stall": "half of its samples, then nothing for a while, then the rest",
    "close": "the connection is closed instead",
    "restart": "the server closes, is away for a while and counts from 0",
    "unsynchronised": "without sync, or of calibration, or a dummy without samples",
    "channels": "one channel fewer or more",
}


@dataclass
class Faults:
    """At most one fault a frame.

    rates: probability of each fault. at: faults by the number of the frame that is asked for (of a packet, in version
    2), from 0, which go before. stall_s, restart_s: how long these last, an hour at most. known: what there is, and
    what each does. Raises ReceiverError on an unknown name, when the rates exceed 1 together or a time is out of range.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    at: Mapping[int, str] = field(default_factory=dict)
    stall_s: float = 0.5
    restart_s: float = 0.2
    seed: int = 0
    known: Mapping[str, str] = field(default_factory=lambda: FAULTS, repr=False)

    def __post_init__(self) -> None:
        unknown = sorted({*self.rates, *self.at.values()} - self.known.keys())
        if unknown:
            raise ReceiverError(f"a fault is one of {', '.join(self.known)}; found {', '.join(unknown)}")
        rates = list(self.rates.values())
        if any(not 0 <= r <= 1 for r in rates) or sum(rates) > 1:
            raise ReceiverError(f"expected rates of faults within 0..1 and at most 1 together, found {rates}")
        if not all(0 <= t <= 3600 for t in (self.stall_s, self.restart_s)):
            raise ReceiverError(f"expected stalls and restarts of 0 to 3600 s, found {self.stall_s}, {self.restart_s}")
        self.rng = np.random.default_rng(self.seed)

    def draw(self, request: int) -> str | None:
        """The fault of a request, or None."""
        u = float(self.rng.random())
        if request in self.at:
            return self.at[request]
        for name, rate in self.rates.items():
            u -= rate
            if u < 0:
                return name
        return None
