"""Families of skies that deviations of images are fitted to: none of them is what the prior has learned.

blobs: Gaussians of any size. filaments: bright ridges of a random field. fractal: clouds of a power law. points:
sources of a pixel. disks: even or darkened discs and crescents with sharp edges. galaxies: Sersic profiles with arms.
halos: beta models. strokes: lines with corners. Peak 1, zero floor; sizes are in 1/64 of the image.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Sky = NDArray[np.float64]
FINE = 4  #: of skies with edges: a pixel is the mean of so many by so many


def blobs(side: int, rng: np.random.Generator) -> Sky:
    """One to forty of them, of widths over a factor of ten."""
    sky = np.zeros((side, side))
    for _ in range(int(2 ** rng.uniform(0, 5.3))):
        u, v = _turned(side, rng, rng.uniform(2, 12))
        width = np.exp(rng.uniform(np.log(0.7), np.log(8)))
        sky += np.exp(rng.uniform(-3, 0)) * np.exp(-0.5 * (u**2 + (v / rng.uniform(0.4, 1)) ** 2) / width**2)
    return sky


def filaments(side: int, rng: np.random.Generator) -> Sky:
    """Where a smooth random field is near 0, in an envelope."""
    field = _random_field(side, rng, rng.uniform(2.5, 4))
    ridge = np.exp(-((field / rng.uniform(0.08, 0.3)) ** 2))
    return ridge * _envelope(side, rng) * np.exp(0.7 * _random_field(side, rng, 3))


def fractal(side: int, rng: np.random.Generator) -> Sky:
    """The exponential of a random field, in an envelope."""
    return np.exp(rng.uniform(0.5, 1.5) * _random_field(side, rng, rng.uniform(2, 3.5))) * _envelope(side, rng)


def points(side: int, rng: np.random.Generator) -> Sky:
    """Up to a hundred sources of the width of half a pixel to a pixel, most of them faint."""
    sky = np.zeros((side, side))
    for _ in range(int(2 ** rng.uniform(0, 6.6))):
        u, v = _turned(side, rng, rng.uniform(5, 25))
        sky += rng.uniform(0.02, 1) ** rng.uniform(1, 2) * np.exp(-0.5 * (u**2 + v**2) / rng.uniform(0.5, 1) ** 2)
    return sky


def disks(side: int, rng: np.random.Generator) -> Sky:
    """Ellipses with an edge, even or darkened outwards, some with a hole that is not in the middle."""
    fine = np.zeros((FINE * side, FINE * side))
    for _ in range(rng.integers(1, 5)):
        u, v = _turned(FINE * side, rng, 8)
        radius = np.exp(rng.uniform(np.log(1.5), np.log(14)))
        squared = (u**2 + (v / rng.uniform(0.5, 1)) ** 2) / radius**2
        disc = np.clip(1 - squared, 0, None) ** rng.choice([0.5, 1]) if rng.random() < 0.5 else 1.0 * (squared < 1)
        if rng.random() < 0.4:
            hole = ((u - rng.uniform(0, 0.3) * radius) ** 2 + v**2) / radius**2
            disc = disc * (hole > rng.uniform(0.2, 0.7) ** 2)
        fine += np.exp(rng.uniform(-2, 0)) * disc
    return fine.reshape(side, FINE, side, FINE).mean((1, 3))


def galaxies(side: int, rng: np.random.Generator) -> Sky:
    """One to three of them."""
    sky = np.zeros((side, side))
    for _ in range(rng.integers(1, 4)):
        u, v = _turned(side, rng, 7)
        v = v / rng.uniform(0.3, 1)
        r = np.hypot(u, v)
        profile = np.exp(-((r / rng.uniform(1.5, 6)) ** (1 / rng.uniform(0.5, 3))))
        arms = 1 + rng.uniform(0, 1) * np.cos(rng.integers(1, 4) * np.arctan2(v, u) - r / rng.uniform(1, 4))
        sky += np.exp(rng.uniform(-2, 0)) * profile * arms
    return sky


def halos(side: int, rng: np.random.Generator) -> Sky:
    """Beta models (1 + r^2)^-p, whose tails reach the edge of the image, with a few compact sources."""
    sky = np.zeros((side, side))
    for _ in range(rng.integers(1, 3)):
        u, v = _turned(side, rng, 6)
        r = np.hypot(u, v / rng.uniform(0.5, 1)) / np.exp(rng.uniform(np.log(1), np.log(7)))
        sky += np.exp(rng.uniform(-1, 0)) * (1 + r**2) ** -rng.uniform(0.8, 3)
    for _ in range(rng.integers(0, 4)):
        u, v = _turned(side, rng, 8)
        sky += rng.uniform(0.1, 1) * np.exp(-0.5 * (u**2 + v**2) / rng.uniform(0.7, 1) ** 2)
    return sky


def strokes(side: int, rng: np.random.Generator) -> Sky:
    """Broken lines of even brightness and a width of one to four."""
    n = FINE * side
    grid = (np.arange(n) - n / 2) * 64 / n
    fine = np.zeros((n, n))
    for _ in range(rng.integers(1, 4)):
        corners = np.cumsum(rng.normal(0, 7, (rng.integers(2, 6), 2)), 0)
        corners -= corners.mean(0) + rng.normal(0, 4, 2)
        half, nearest = rng.uniform(0.5, 2), np.full((n, n), np.inf)
        for a, b in pairwise(corners):
            along = b - a
            share = ((grid - a[0]) * along[0] + (grid[:, None] - a[1]) * along[1]) / (along @ along)
            share = np.clip(share, 0, 1)
            nearest = np.minimum(
                nearest, np.hypot(grid - a[0] - share * along[0], grid[:, None] - a[1] - share * along[1])
            )
        fine += np.exp(rng.uniform(-2, 0)) * (nearest < half)
    return fine.reshape(side, FINE, side, FINE).mean((1, 3))


#: name -> a sky before it is scaled
FAMILIES: dict[str, Callable[[int, np.random.Generator], Sky]] = {
    f.__name__: f for f in (blobs, filaments, fractal, points, disks, galaxies, halos, strokes)
}


def draw_family(family: str, side: int, count: int, rng: np.random.Generator) -> Sky:
    """Skies (count, n, n) of a family, a fifth of them with one of another beside them; peak 1."""
    skies = []
    for _ in range(count):
        sky = FAMILIES[family](side, rng)
        sky = sky / sky.max()
        if rng.random() < 0.2:
            other = FAMILIES[str(rng.choice(list(FAMILIES)))](side, rng)
            sky = sky + rng.uniform(0.1, 1) * other / other.max()
        skies.append(sky / sky.max())
    return np.stack(skies)


def _turned(side: int, rng: np.random.Generator, spread: float) -> tuple[Sky, Sky]:
    """Coordinates about a place near the middle, along an axis and across it."""
    g, angle = (np.arange(side) - side / 2) * 64 / side, rng.uniform(0, np.pi)
    x, y = g - np.clip(rng.normal(0, spread), -28, 28), (g - np.clip(rng.normal(0, spread), -28, 28))[:, None]
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _random_field(side: int, rng: np.random.Generator, slope: float) -> Sky:
    """Gaussian of unit variance, power falling as k^-slope."""
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
    k[0, 0] = np.inf
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) * k ** (-slope / 2)).real
    return np.asarray(field / field.std())


def _envelope(side: int, rng: np.random.Generator) -> Sky:
    u, v = _turned(side, rng, 4)
    return np.asarray(np.exp(-((np.hypot(u, v / rng.uniform(0.5, 1)) / rng.uniform(6, 16)) ** rng.uniform(2, 6))))
