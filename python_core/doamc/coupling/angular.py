"""Functions of direction that a response depending on it is made of, and steering vectors extended by them.

At the horizon a Fourier series, 1, cos az, sin az, cos 2az, ... Where there are elevations its counterpart on the
sphere, the products sin^m el cos^h el {cos h az, sin h az} with m + h <= n: all polynomials of degree n of the unit
vector, as spherical harmonics are; those with m = 0 come first, and at the horizon they are the Fourier series.
"""

import math

import torch

from doamc.arrays.steering import steering

LEAST_LEVEL = 1e-6  #: cosine of an elevation, below which nothing is divided by it


def angular_functions(azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """1, cos az, sin az, cos 2az, ...: azimuth (...) -> (J, ...)."""
    out = [torch.ones_like(azimuth)]
    for h in range(1, (n_blocks + 1) // 2):
        out += [(h * azimuth).cos(), (h * azimuth).sin()]
    return torch.stack(out)


def angular_slopes(azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """Derivatives of the angular functions by azimuth: (...) -> (J, ...)."""
    out = [torch.zeros_like(azimuth)]
    for h in range(1, (n_blocks + 1) // 2):
        out += [-h * (h * azimuth).sin(), h * (h * azimuth).cos()]
    return torch.stack(out)


def degrees(n_blocks: int, on_sphere: bool) -> list[tuple[int, int]]:
    """Powers (m, h) of each of J functions: sin^m el cos^h el times cos h az or sin h az; m is 0 at the horizon."""
    order = math.isqrt(n_blocks) - 1 if on_sphere else (n_blocks - 1) // 2
    rows = range(order + 1) if on_sphere else range(1)
    return [(m, h) for m in rows for h in range(order - m + 1) for _ in range(2 if h else 1)]


def sphere_functions(azimuth: torch.Tensor, height: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """The functions on the sphere: azimuth and height, the sine of elevation, (...) -> (J, ...)."""
    wave = _waves(azimuth, n_blocks)
    level = _level(height)
    return torch.stack([height**m * level**h * wave[i] for i, (m, h) in enumerate(degrees(n_blocks, True))])


def sphere_slopes(azimuth: torch.Tensor, height: torch.Tensor, n_blocks: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Derivatives of the functions on the sphere by azimuth and by height, each (J, ...)."""
    wave, turned = _waves(azimuth, n_blocks), _waves(azimuth, n_blocks, slope=True)
    level = _level(height)
    by_azimuth, by_height = [], []
    for i, (m, h) in enumerate(degrees(n_blocks, True)):
        by_azimuth.append(height**m * level**h * turned[i])
        rise = m * height ** (m - 1) * level**h if m else torch.zeros_like(height)
        fall = h * height ** (m + 1) * level ** (h - 2) if h else torch.zeros_like(height)
        by_height.append((rise - fall) * wave[i])
    return torch.stack(by_azimuth), torch.stack(by_height)


def _waves(azimuth: torch.Tensor, n_blocks: int, slope: bool = False) -> list[torch.Tensor]:
    """cos h az and sin h az of every function on the sphere, or their derivatives by azimuth."""
    out, places = [], degrees(n_blocks, True)
    for i, (_, h) in enumerate(places):
        second = i > 0 and places[i - 1] == places[i]  # the sine follows the cosine
        cosine, sine = (h * azimuth).cos(), (h * azimuth).sin()
        if slope:
            cosine, sine = -h * sine, h * cosine
        out.append(sine if second else cosine)
    return out


def _level(height: torch.Tensor) -> torch.Tensor:
    return (1 - height * height).clamp_min(LEAST_LEVEL**2).sqrt()


def extended_steering(
    positions: torch.Tensor, azimuth: torch.Tensor, n_blocks: int, elevation: torch.Tensor | float = 0.0
) -> torch.Tensor:
    """a_ext(az, el): azimuth, and elevation, (..., P) -> (..., J N, P); the functions are those of azimuth."""
    a = steering(positions, azimuth, elevation).to(torch.complex128)
    return torch.cat([a * g[..., None, :] for g in angular_functions(azimuth, n_blocks)], -2)
