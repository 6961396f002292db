"""Which source of one estimate is which of the next, so that a colour stays with an emitter.

Estimates are sorted by angle and carry no identity. Here the closest pairs are joined first, on the circle; it decides
about colours only, never about figures.
"""

import numpy as np
from numpy.typing import NDArray

from doamc.estimates.truth import wrap_deg

GATE_DEG = 15.0
FORGET_S = 3.0


class Tracker:
    """Gives each source a number, the same as long as it is seen; numbers of sources that left are given again.

    gate_deg: farthest that a source may be from where it was. forget_s: stream time after which its number is free.
    """

    def __init__(self, gate_deg: float = GATE_DEG, forget_s: float = FORGET_S) -> None:
        self._gate, self._forget = gate_deg, forget_s
        self._last: dict[int, tuple[float, float]] = {}  # number: azimuth in degrees, time in s

    def assign(
        self,
        time_s: float,
        azimuth_deg: NDArray[np.float64],  # shape: (P,)
    ) -> list[int]:
        """Numbers, from 0, of the sources of an estimate. Time that runs backwards far begins anew."""
        self._last = {n: (a, t) for n, (a, t) in self._last.items() if abs(time_s - t) <= self._forget}
        pairs = sorted(
            (abs(float(wrap_deg(azimuth - last))), i, number)
            for i, azimuth in enumerate(azimuth_deg)
            for number, (last, _) in self._last.items()
        )
        given: dict[int, int] = {}
        for distance, i, number in pairs:
            if distance <= self._gate and i not in given and number not in given.values():
                given[i] = number
        taken = set(self._last) | set(given.values())
        for i in range(len(azimuth_deg)):
            if i not in given:
                given[i] = next(n for n in range(len(taken) + 1) if n not in taken)
                taken.add(given[i])
        for i, number in given.items():
            self._last[number] = float(azimuth_deg[i]), time_s
        return [given[i] for i in range(len(azimuth_deg))]
