"""Which source of one estimate is which of the next, so that a colour stays with an emitter.

Estimates are sorted by angle and carry no identity. Here the closest pairs are joined first, on the circle. This
decides the colour that a source has, and nothing that is measured.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.angles import wrap_deg

#: farthest that a source may be from where it was
GATE_DEG = 15.0
FORGET_S = 3.0


@dataclass
class _Track:
    azimuth_deg: float
    time_s: float
    seen: int = 0
    missed: int = 0


class SourceNumbering:
    """Gives each source a number, the same as long as it is seen; numbers of sources that left are given again.

    forget_s: stream time after which its number is free again. A number is free, too, once its source was missed more
    often than it was seen, so that strays do not use up the colours.
    """

    def __init__(self, forget_s: float = FORGET_S) -> None:
        self._forget = forget_s
        self._tracks: dict[int, _Track] = {}

    def assign(
        self,
        time_s: float,
        azimuth_deg: NDArray[np.float64],  # shape: (P,)
    ) -> list[int]:
        """Numbers, from 0, of the sources of an estimate. Time that jumps far, either way, begins anew."""
        self._tracks = {
            n: t for n, t in self._tracks.items() if abs(time_s - t.time_s) <= self._forget and t.missed <= t.seen
        }
        pairs = sorted(
            (abs(float(wrap_deg(azimuth - track.azimuth_deg))), i, number)
            for i, azimuth in enumerate(azimuth_deg)
            for number, track in self._tracks.items()
        )
        given: dict[int, int] = {}
        for distance, i, number in pairs:
            if distance <= GATE_DEG and i not in given and number not in given.values():
                given[i] = number
        for track in self._tracks.values():
            track.missed += 1
        for i, azimuth in enumerate(azimuth_deg):
            if i not in given:
                given[i] = next(n for n in range(len(self._tracks) + 1) if n not in self._tracks)
            seen = self._tracks[given[i]].seen if given[i] in self._tracks else 0
            self._tracks[given[i]] = _Track(float(azimuth), time_s, seen + 1)
        return [given[i] for i in range(len(azimuth_deg))]
