"""Small bands that tests share: 240 kHz, forty bins of 6 kHz, an array without coupling unless said otherwise."""

import numpy as np

from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.signal import Signal
from doamc.bands.simulated.scene import Emitter

RATE_HZ, CENTRE_HZ = 240e3, 300e6


def emitter(kind, offset_hz, width_hz, azimuth_deg, snr_db, on_s=((0.0, 10.0),)):
    return Emitter(kind, CENTRE_HZ + offset_hz, width_hz, azimuth_deg, snr_db, on_s)


def grid() -> BandGrid:
    return BandGrid(RATE_HZ, CENTRE_HZ)


def noise(channels: int, count: int, seed: int = 0) -> np.ndarray:
    """Unit power."""
    z = np.random.default_rng(seed).standard_normal((channels, count, 2)) / np.sqrt(2)
    return np.ascontiguousarray(z).view(complex)[..., 0].astype(np.complex64)


def found_in(samples: np.ndarray, **options) -> list[Signal]:
    """Signals of samples, by frequency."""
    finder = SignalFinder(grid(), len(samples), **options)
    ended = [s for changed in finder.push(samples) for s in changed if s.ended]
    return sorted(ended + finder.finish(), key=lambda s: (s.frequency_hz, s.start_s))
