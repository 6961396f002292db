"""The newest spectra of a band: a ring of fixed size, and the levels that scales show."""

import math

import numpy as np
from numpy.typing import NDArray

from doamc.views.band_reading import SpectrumReading

FORGET = 0.02  #: share of a spectrum in the levels that scales follow
LEAST_SPAN_DB = 40.0


class SpectrumRing:
    """At most `rows` spectra of one band; one of another band begins anew.

    newest: the last one. range_dbfs: lowest and highest level of scales, whole tens that stay as they are while they
    fit.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.newest: SpectrumReading | None = None
        self.count = 0
        self.range_dbfs = (-120.0, -40.0)
        self._levels = np.empty((0, 0), np.float32)
        self._times = np.full(self.rows, math.nan)
        self._base = self._peak = math.nan

    def put(self, spectrum: SpectrumReading) -> None:
        """Add a spectrum."""
        old = self.newest
        if old is None or (old.low_hz, old.step_hz, len(old.power_dbfs)) != (
            spectrum.low_hz, spectrum.step_hz, len(spectrum.power_dbfs),
        ):  # fmt: skip
            self.clear()
            self._levels = np.empty((self.rows, len(spectrum.power_dbfs)), np.float32)
        at = self.count % self.rows
        self._levels[at], self._times[at] = spectrum.power_dbfs, spectrum.stop_s
        self.newest, self.count = spectrum, self.count + 1
        self._scale(spectrum.power_dbfs)

    def levels(self) -> NDArray[np.float32]:
        """Levels (K, B), the newest first."""
        return self._levels[self._order()]

    def age_s(self, back: int) -> float:
        """Stream time from the spectrum `back` before the newest to that; NaN where there is none."""
        if self.newest is None or not 0 <= back < min(self.count, self.rows):
            return math.nan
        return self.newest.stop_s - float(self._times[(self.count - 1 - back) % self.rows])

    @property
    def band_hz(self) -> tuple[float, float] | None:
        """Edges of the band, Hz; None before the first spectrum."""
        s = self.newest
        return None if s is None else (s.low_hz, s.low_hz + s.step_hz * len(s.power_dbfs))

    def _order(self) -> NDArray[np.int64]:
        return (self.count - 1 - np.arange(min(self.count, self.rows))) % self.rows

    def _scale(self, power: NDArray[np.float32]) -> None:
        base, peak = float(np.quantile(power, 0.25)), float(power.max())
        self._base = base if math.isnan(self._base) else self._base + FORGET * (base - self._base)
        rises = not peak <= self._peak
        self._peak = peak if rises else self._peak + FORGET * (peak - self._peak)
        low = 10.0 * math.floor((self._base - 4) / 10)
        high = max(low + LEAST_SPAN_DB, 10.0 * math.ceil((self._peak + 3) / 10))
        was, top = self.range_dbfs
        fits = was + 2 <= self._base <= was + 16 and top - 10 <= high and self._peak <= top
        if self.count == 1 or not fits:
            self.range_dbfs = low, high
