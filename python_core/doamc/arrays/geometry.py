"""Element positions in wavelengths, shape (N, 3): columns x, y, z.

Azimuth runs counter-clockwise from +x (boresight). A linear array lies along +y with element 0 at the
origin, so azimuth is the angle from broadside; a circular array has element m at angle 2 pi m / N.
"""

import math

import torch

from doamc.errors import SpecificationError


def ula(n_elements: int, spacing_wavelengths: float = 0.5) -> torch.Tensor:
    """Uniform linear array along +y; positions (N, 3) in wavelengths."""
    _check(n_elements, spacing_wavelengths, "spacing")
    positions = torch.zeros(n_elements, 3, dtype=torch.float64)
    positions[:, 1] = spacing_wavelengths * torch.arange(n_elements, dtype=torch.float64)
    return positions


def uca(n_elements: int, radius_wavelengths: float) -> torch.Tensor:
    """Uniform circular array in the x-y plane, element m at angle 2 pi m / N; positions (N, 3) in wavelengths."""
    _check(n_elements, radius_wavelengths, "radius")
    angle = 2 * math.pi * torch.arange(n_elements, dtype=torch.float64) / n_elements
    return torch.stack([radius_wavelengths * angle.cos(), radius_wavelengths * angle.sin(), torch.zeros_like(angle)], 1)


def ura(rows: int, columns: int, spacing_wavelengths: float = 0.5) -> torch.Tensor:
    """Uniform rectangular array in the y-z plane (broadside +x), element r * columns + c at y = c d, z = r d."""
    _check(rows * columns, spacing_wavelengths, "spacing")
    y, z = torch.arange(columns, dtype=torch.float64), torch.arange(rows, dtype=torch.float64)
    grid = torch.cartesian_prod(z, y) * spacing_wavelengths
    return torch.stack([torch.zeros(rows * columns, dtype=torch.float64), grid[:, 1], grid[:, 0]], 1)


def _check(n_elements: int, length: float, what: str) -> None:
    if n_elements < 2:
        raise SpecificationError(f"an array needs at least 2 elements, found {n_elements}")
    if not (math.isfinite(length) and length > 0):
        raise SpecificationError(f"the {what} must be a positive number of wavelengths, found {length}")
