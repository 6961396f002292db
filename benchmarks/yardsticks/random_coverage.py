"""Coverages of arrays that do not exist: arms, discs and handfuls of stations, from a snapshot to half a day."""

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.coverage import equatorial, grid_mask, tracks


def draw_coverage(side: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A mask (n, n) of 3 % of the cells at least, half of them of few stations; one in eight has the total flux."""
    while True:
        mask = grid_mask(tracks(*_array(rng)), side)
        if mask.mean() > 0.03:
            mask[0, 0] = rng.random() < 0.125
            return mask


def _array(rng: np.random.Generator) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Antennas, declination and hour angles of an observation."""
    kind, latitude = rng.choice(["arms", "disc", "few", "few"]), rng.uniform(-60, 60)
    if kind == "arms":
        arms, each = rng.integers(3, 6), rng.integers(4, 10)
        angle = np.repeat(rng.uniform(0, 2 * np.pi, arms), each)
        radius = np.tile((np.arange(1, each + 1) / each) ** rng.uniform(1, 2), arms)
    else:
        count = rng.integers(20, 46) if kind == "disc" else rng.integers(5, 11)
        angle = rng.uniform(0, 2 * np.pi, count)
        radius = rng.random(count) ** rng.uniform(0.4, 1)
    antennas = equatorial(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), latitude)
    half = rng.choice([0.0, rng.uniform(0.1, 6)]) if kind != "few" else rng.uniform(0.5, 6)
    hours = np.linspace(-half, half, 1 + int(20 * half)) + rng.uniform(-1, 1)
    return antennas, float(np.clip(latitude + rng.normal(0, 30), -85, 85)), hours
