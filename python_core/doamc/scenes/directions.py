"""Directions drawn from the prior of an array that knows elevations."""

import math

import torch

from doamc.arrays.steering import direction
from doamc.errors import SpecificationError
from doamc.spec import ArraySpec

ROUNDS = 1000  #: of draws; sources that do not fit the sector by then never will


def draw_directions(
    spec: ArraySpec, batch: int, n_sources: int, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Azimuths, ascending, and elevations (B, P) in rad: uniform on the sphere, subject to the least separation.

    Uniform azimuth, uniform sine of elevation; draws that stand too close together are drawn again. Raises
    SpecificationError where so many sources do not fit.
    """
    (left, right), (low, high) = spec.sector_rad, (math.sin(e) for e in spec.elevation_rad)
    azimuth = torch.empty(batch, n_sources, dtype=torch.float64)
    elevation, todo = torch.empty_like(azimuth), torch.arange(batch)
    for _ in range(ROUNDS):
        u = torch.rand(len(todo), 2, n_sources, dtype=torch.float64, generator=generator)
        azimuth[todo] = left + (right - left) * u[:, 0]
        elevation[todo] = (low + (high - low) * u[:, 1]).asin()
        todo = todo[~apart(spec, azimuth[todo], elevation[todo])]
        if not len(todo):
            break
    else:
        raise SpecificationError(
            f"{n_sources} sources at least {spec.min_separation_deg:g} deg apart do not fit the sector of {spec.name}"
        )
    azimuth, order = azimuth.sort(1)
    return azimuth, elevation.gather(1, order)


def apart(spec: ArraySpec, azimuth: torch.Tensor, elevation: torch.Tensor) -> torch.Tensor:
    """Whether sources (B, P) keep the least separation as great-circle angles, (B,) bool."""
    unit = direction(azimuth, elevation)
    rows, columns = torch.triu_indices(unit.shape[1], unit.shape[1], 1)
    cosine = (unit[:, rows] * unit[:, columns]).sum(2)
    return (cosine < math.cos(math.radians(spec.min_separation_deg))).all(1)
