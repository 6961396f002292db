"""Skies for benchmarks that no prior here was made for: lobes with cut edges, shells, beta-model haloes, points."""

import numpy as np
from numpy.typing import NDArray

KINDS = ("double", "shell", "cluster", "spiral", "field")


def draw(kind: str, side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One sky (n, n) of a kind, peak 1."""
    g = (np.arange(side) - side / 2) * 64 / side  # in units of 1/64 of the image
    x, y = g - rng.normal(0, 3), (g - rng.normal(0, 3))[:, None]
    sky = np.zeros((side, side))
    angle = rng.uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    if kind == "double":
        sky += point(along, across, 0.9)
        for sign in (-1, 1):
            length, width = rng.uniform(8, 18), rng.uniform(2, 4)
            inside = np.clip(
                1 - (across / width) ** 2 - ((along - sign * 0.6 * length) / (0.45 * length)) ** 2, 0, None
            )
            sky += rng.uniform(0.1, 0.4) * np.sqrt(inside)
            sky += rng.uniform(0.5, 1.5) * point(along - sign * length, across, rng.uniform(0.7, 1.3))
    elif kind == "shell":
        radius, r = rng.uniform(5, 13), np.hypot(along, across * rng.uniform(1, 1.4))
        ring = np.exp(-0.5 * ((r - radius) / rng.uniform(0.8, 1.6)) ** 2)
        sky += ring * (1 + 0.6 * np.cos(np.arctan2(across, along) - angle)) + 0.15 * (r < radius)
    elif kind == "cluster":
        r = np.hypot(along / rng.uniform(1, 1.6), across) / rng.uniform(3, 6)
        sky += (1 + r**2) ** -1.5
        for _ in range(rng.integers(1, 5)):
            sky += rng.uniform(0.3, 1.5) * point(x - rng.normal(0, 8), y - rng.normal(0, 8), 0.8)
    elif kind == "spiral":
        r, phi = np.hypot(along, across / 0.7), np.arctan2(across / 0.7, along)
        sky += np.exp(-r / rng.uniform(4, 6)) * (1 + 0.9 * np.cos(2 * phi - r / rng.uniform(1.5, 2.5)))
        sky += 2 * point(x, y, 0.8)
    if kind == "field" or rng.random() < 0.3:
        for _ in range(rng.integers(3, 12) if kind == "field" else 1):
            sky += rng.uniform(0.05, 1) * point(x - rng.uniform(-24, 24), y - rng.uniform(-24, 24), 0.8)
    return np.asarray(sky / sky.max())


def point(x: NDArray[np.float64], y: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """A Gaussian of this deviation, peak 1."""
    return np.asarray(np.exp(-0.5 * (x**2 + y**2) / width**2))


def draw_skies(side: int, count: int, seed: int) -> NDArray[np.float64]:
    """Skies (count, n, n) of all kinds in turn."""
    rng = np.random.default_rng(seed)
    return np.stack([draw(KINDS[i % len(KINDS)], side, rng) for i in range(count)])
