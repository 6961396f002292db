"""Samples of azimuths and elevations with one source per row throughout."""

from dataclasses import dataclass

import torch

from doamc.angles import wrap_rad
from doamc.arrays.steering import direction
from doamc.likelihood.coordinates import Coordinates
from doamc.scenes.directions import nearest_order

ROUNDS = 2  #: of giving samples the order of their centre: the first finds it from one sample, the second from all


@dataclass(frozen=True)
class Directions:
    """Directions of P sources, one per row. azimuth, on a circle unwrapped around its middle, elevation: (B, P, n) rad.

    level: (B, P, 1), cosine of the middle elevation: what an azimuth is worth as an angle on the sphere. order:
    (B, P, n), what was applied.
    """

    azimuth: torch.Tensor
    elevation: torch.Tensor
    level: torch.Tensor
    order: torch.Tensor

    @property
    def plane(self) -> torch.Tensor:
        """Both as angles on the sphere, azimuths first, (B, 2 P, n)."""
        return torch.cat([self.level * self.azimuth, self.elevation], 1)

    def from_plane(self, plane: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Azimuths and elevations (..., P) of angles on the sphere (..., 2 P), widths or places; B comes first."""
        azimuth, elevation = plane.chunk(2, -1)
        level = self.level[:, :, 0]
        return azimuth / level.view(len(level), *[1] * (azimuth.ndim - 2), -1), elevation


def align_directions(x: torch.Tensor, coordinates: Coordinates) -> Directions:
    """Directions of samples x (B, d, n): every sample in the order of its sources that lies nearest to the middle."""
    azimuth, unit = coordinates.split(x)[3], sphere_units(x, coordinates)
    order = azimuth[:, :, -1:].argsort(1).expand_as(azimuth)
    centre = unit.gather(1, order[..., None].expand_as(unit))[:, :, -1]
    for _ in range(ROUNDS if coordinates.n_sources > 1 else 0):
        order = nearest_order(torch.einsum("bpk,bqnk->bpqn", centre, unit))
        centre = unit.gather(1, order[..., None].expand_as(unit)).mean(2)
    azimuth, unit = azimuth.gather(1, order), unit.gather(1, order[..., None].expand_as(unit))
    centre = unit.mean(2, keepdim=True)
    if coordinates.spec.full_circle:
        middle = torch.atan2(centre[..., 1], centre[..., 0])
        azimuth = middle + wrap_rad(azimuth - middle)
    level = torch.hypot(centre[..., 0], centre[..., 1]) / centre.norm(dim=-1).clamp_min(1e-9)
    return Directions(azimuth, unit[..., 2].clamp(-1, 1).asin(), level.clamp_min(1e-3), order)


def sphere_units(x: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Unit vectors (B, P, n, 3) towards the sources of points (B, d, n) of an array with elevations."""
    azimuth, height = coordinates.split(x)[3], coordinates.heights(x)
    if height is None:
        raise AssertionError("expected an array with elevations")
    return direction(azimuth, height.clamp(-1, 1).asin())
