"""Samples on their way from a server to whoever takes them, whatever its version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """Samples without a gap, of one setting of the receiver.

    samples: (M, T) complex64; they are overwritten once the frame is given back to the client. time_s: Unix time of the
    first. frequency_hz, sample_rate_hz: Hz. gains_db: of the M channels. sync_state: the server's own number for what
    its calibration does. overdriven: which channels overdrove their converters; None where the server does not tell.
    number: that of the server; None where it gives none. first: nothing came before it on this connection, or the
    server began anew, so that time and phase may have jumped. gap: samples are missing before it. lost: frames or
    packets that should have been between this frame and the one before and never came. kept_back: those that came but
    were of no use, by reason. between: of version 2, the same in the order in which they came (`version2.runs`).
    packet_samples: samples a channel of each packet that the frame is made of; None in version 1.
    """

    samples: NDArray[np.complex64]
    time_s: float
    frequency_hz: float
    sample_rate_hz: float
    gains_db: tuple[float, ...]
    sync_state: int
    overdriven: tuple[bool, ...] | None = None
    number: int | None = None
    first: bool = False
    gap: bool = False
    lost: int = 0
    kept_back: Mapping[str, int] = field(default_factory=dict)
    between: tuple[Mapping[str, Any], ...] = ()
    packet_samples: int | None = None

    @property
    def duration_s(self) -> float:
        """Signal time, s."""
        return self.samples.shape[1] / self.sample_rate_hz
