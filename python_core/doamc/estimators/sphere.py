"""Grids of directions on the sphere, the least values of a spectrum on them, and what lies between their points."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch

from doamc.angles import wrap_rad
from doamc.arrays.steering import direction
from doamc.errors import EstimatorError
from doamc.spec import ArraySpec

HALF_POWER = 0.886  #: rad wavelengths, beamwidth of a uniform aperture of length 1
POINTS = 7  #: of a grid, a beamwidth: a quadratic form of steering vectors has no finer detail
NEIGHBOURS = 1.6  #: steps, to where points are neighbours
ROUNDS, FINER = 5, 4.0  #: of a search between grid points, each so many times finer than the last
BLOCK = 1 << 22  #: numbers of a block of distances: memory stays bounded
MOST_POINTS = 1 << 15  #: of a grid: 256 elements half a wavelength apart in a square need 19 000 for a wide sector


def hemisphere(spec: ArraySpec, low: float, high: float, step: float) -> torch.Tensor:
    """Directions (G, 2), azimuth and elevation in rad, at about even distances over the sector and [low, high]."""
    rings = []
    left, right = spec.sector_rad
    for elevation in torch.linspace(low, high, max(2, round((high - low) / step) + 1), dtype=torch.float64):
        count = max(3, math.ceil((right - left) * math.cos(float(elevation)) / step))
        ends = count if spec.full_circle else count - 1
        azimuth = left + (right - left) * torch.arange(count, dtype=torch.float64) / ends
        rings.append(torch.stack([azimuth, elevation.expand(count)], 1))
    return torch.cat(rings)


def beam_step(spec: ArraySpec) -> float:
    """Step in rad of a grid with `POINTS` a beamwidth of the array."""
    aperture = float(torch.cdist(spec.positions, spec.positions).max())
    return HALF_POWER / max(aperture, HALF_POWER / math.pi) / POINTS


class SphereGrid:
    """Directions over the sector and elevations of an array; step in rad, `beam_step` where left out.

    azimuth, elevation: (G,) rad. unit: (G, 3).
    """

    def __init__(self, spec: ArraySpec, step: float | None = None) -> None:
        self.spec, self.step = spec, step or beam_step(spec)
        (left, right), (low, high) = spec.sector_rad, spec.elevation_rad
        points = (right - left) * (math.sin(high) - math.sin(low)) / self.step**2
        if points > MOST_POINTS:
            raise EstimatorError(
                f"array {spec.name} is so wide that its sector has {points:.3g} directions a seventh of a beamwidth "
                f"apart, expected {MOST_POINTS} at most; take a smaller sector"
            )
        self.azimuth, self.elevation = hemisphere(spec, *spec.elevation_rad, self.step).unbind(1)
        self.unit = direction(self.azimuth, self.elevation)

    def __len__(self) -> int:
        return len(self.azimuth)

    @cached_property
    def neighbours(self) -> torch.Tensor:
        """Places (G, M) of the points next to each, itself where it has fewer."""
        rows = []
        for part in torch.arange(len(self)).split(max(1, BLOCK // len(self))):
            near = (self.unit[part] @ self.unit.T) > math.cos(NEIGHBOURS * self.step)
            rows += [row.nonzero()[:, 0] for row in near]
        most = max(map(len, rows))
        return torch.stack([torch.cat([row, row.new_full((most - len(row),), i)]) for i, row in enumerate(rows)])

    def lowest(self, values: torch.Tensor, count: int) -> torch.Tensor:
        """Places (B, count) of the lowest local minima of values (B, G), lowest first; other points where fewer."""
        near = self.neighbours.to(values.device)
        least = values[:, near[:, 0]]
        for column in near.T[1:]:
            least = torch.minimum(least, values[:, column])
        span = values.amax(1, keepdim=True) - values.amin(1, keepdim=True) + 1.0
        order = values + span * (values > least)
        return order.topk(count, 1, largest=False)[1]

    def refined(
        self,
        spectrum: Callable[[torch.Tensor], torch.Tensor],  # unit vectors (B, Q, S, 3) -> values (B, Q, S)
        places: torch.Tensor,  # shape: (B, Q)
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Azimuths and elevations (B, Q) of the minima nearest to points of the grid, inside the sector.

        A parabola through nine directions leads to the next, finer nine; it goes no farther than they reach.
        """
        unit, reach = self.unit.to(places.device)[places], 0.5 * self.step
        for _ in range(ROUNDS):
            east, north = _tangent(unit)
            u = unit[:, :, None] + reach * (_EAST[:, None] * east[:, :, None] + _NORTH[:, None] * north[:, :, None])
            f = spectrum(u / u.norm(dim=3, keepdim=True)) @ _PARABOLA.T  # slopes and bends
            a, b, aa, bb, ab = f.unbind(2)
            det = aa * bb - ab * ab
            bowl = (aa > 0) & (det > 0)
            det = torch.where(bowl, det, 1.0)
            x, y = (torch.where(bowl, v / det, -1e9 * s) for v, s in ((ab * b - bb * a, a), (ab * a - aa * b, b)))
            x, y = (2 * reach * v.clamp(-1, 1)[..., None] for v in (x / 2, y / 2))
            unit = unit + x * east + y * north
            unit = unit / unit.norm(dim=2, keepdim=True)
            reach /= FINER
        return self.inside(unit)

    def inside(self, unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Azimuths and elevations (...) of unit vectors (..., 3), those outside moved to the borders of the sector."""
        (left, right), (low, high) = self.spec.sector_rad, self.spec.elevation_rad
        azimuth = torch.atan2(unit[..., 1], unit[..., 0])
        if self.spec.full_circle:
            azimuth = wrap_rad(azimuth, left)
        else:
            azimuth = wrap_rad(azimuth, 0.5 * (left + right) - math.pi).clamp(left, right)
        return azimuth, unit[..., 2].clamp(-1, 1).asin().clamp(low, high)


def ascending(azimuth: torch.Tensor, *others: torch.Tensor) -> list[torch.Tensor]:
    """Azimuths (B, P) in ascending order, and others of the same sources in that order."""
    azimuth, order = azimuth.sort(1)
    return [azimuth, *(x.gather(1, order) for x in others)]


def _tangent(unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors to the east (rising azimuth) and to the north (rising elevation) of directions (..., 3)."""
    east = torch.stack([-unit[..., 1], unit[..., 0], torch.zeros_like(unit[..., 0])], -1)
    east = east / east.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    return east, torch.linalg.cross(unit, east, dim=-1)


_EAST = torch.tensor([-1.0, 0, 1, -1, 0, 1, -1, 0, 1], dtype=torch.float64)
_NORTH = torch.tensor([-1.0, -1, -1, 0, 0, 0, 1, 1, 1], dtype=torch.float64)
#: slopes east and north, bends of both and mixed, of the parabola through the nine (least squares), in units of reach
_PARABOLA = torch.from_numpy(
    np.linalg.pinv(np.stack([np.ones(9), _EAST, _NORTH, _EAST**2 / 2, _NORTH**2 / 2, _EAST * _NORTH], 1))[1:]
)
