"""Responses whose coupling depends on direction, with their derivatives: what `CovarianceModel` is made of there.

v_p = E(theta) a_ext(az_p, el_p),    a_ext = [f_0 a; f_1 a; ...]
"""

import math

import torch

from doamc.arrays.steering import steering
from doamc.coupling.angular import angular_functions, angular_slopes, sphere_functions, sphere_slopes
from doamc.coupling.directional import DirectionalFamily


def extended_derivatives(
    family: DirectionalFamily,
    positions: torch.Tensor,  # shape: (N, 3), wavelengths
    azimuth: torch.Tensor,  # shape: (B, P), rad
    height: torch.Tensor | None = None,  # shape: (B, P), sines of elevations; None at the horizon
) -> tuple[torch.Tensor, ...]:
    """a_ext (B, J N, P), its derivatives by azimuth and, where there are heights, by height."""
    j = family.n_blocks
    if height is None:
        a = steering(positions, azimuth).to(torch.complex128)
        turn = torch.stack([-azimuth.sin(), azimuth.cos()], 1)
        slope = 1j * (2 * math.pi * positions[:, :2] @ turn) * a
        f, df = angular_functions(azimuth, j), angular_slopes(azimuth, j)
        return _stacked(f, a), _stacked(df, a) + _stacked(f, slope)
    elevation = height.asin()
    a = steering(positions, azimuth, elevation).to(torch.complex128)
    level, flat, fall = elevation.cos(), torch.zeros_like(height), elevation.tan()
    by_azimuth = torch.stack([-level * azimuth.sin(), level * azimuth.cos(), flat], 1)
    by_height = torch.stack([-fall * azimuth.cos(), -fall * azimuth.sin(), flat + 1], 1)
    wave, f, slopes = 2 * math.pi * positions, sphere_functions(azimuth, height, j), sphere_slopes(azimuth, height, j)
    moved = [
        _stacked(df, a) + _stacked(f, 1j * (wave @ d) * a)
        for df, d in zip(slopes, (by_azimuth, by_height), strict=True)
    ]
    return _stacked(f, a), *moved


def _stacked(functions: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Functions (J, B, P) times columns (B, N, P), (B, J N, P)."""
    return torch.cat([f[:, None] * columns for f in functions], 1)
