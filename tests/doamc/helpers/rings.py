"""Rings as people build them: numbered clockwise or in any order, and what antenna physics says that they receive."""

import math

import numpy as np

from doamc.antenna.response import as_planned, embedded_response, solve_built
from doamc.spec.antenna import Antenna

#: half-wave dipoles of the KrakenSDR's ring, as the manual wires them: antenna m at -72 m degrees
RADIUS, STEP_DEG = 0.35, -72.0


def ring(step_deg=STEP_DEG, n=5, first_deg=0.0):
    """Positions (N, 3) in wavelengths, antenna m at first_deg + m step_deg."""
    angle = np.radians(first_deg + step_deg * np.arange(n))
    return RADIUS * np.stack([np.cos(angle), np.sin(angle), np.zeros(n)], 1)


def clockwise_snapshots(azimuth_deg, length=200, snr_db=25.0, seed=0):
    """Snapshots (B, 5, L) of one emitter a batch, by the method of moments: no position or order of the library."""
    positions, antenna = ring(), Antenna()
    built = as_planned(antenna, positions)
    grid = np.arange(0.0, 360.0, 7.5)
    response = embedded_response(solve_built(antenna, built, grid), built.load)
    chosen = response[:, [int(np.flatnonzero(np.isclose(grid, a)).item()) for a in azimuth_deg]]
    chosen = chosen / np.sqrt(np.mean(np.abs(chosen) ** 2))
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * math.sqrt(0.5)

    y = chosen.T[:, :, None] * normal(len(azimuth_deg), 1, length)
    return (y + 10 ** (-snr_db / 20) * normal(*y.shape)).astype(np.complex64)


def numbered(path, like, channels, name="numbered"):
    """Path of a specification like a shipped one whose streams come from these elements."""
    path.write_text(f'name = "{name}"\nlike = "{like}"\n[geometry]\nchannels = {list(map(int, channels))}\n')
    return path
