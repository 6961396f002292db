"""Sources kept apart, as the prior has them."""

import math

import torch

from doamc.likelihood.coordinates import Coordinates

#: by how much more than the least separation, relative and in rad: round-off must not put a start outside the prior
MORE, MORE_RAD = 1e-6, 1e-9


def separate(azimuth: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Sorted azimuths (..., P) moved apart to the least separation, inside the sector."""
    p = coordinates.n_sources
    if p == 1:
        return azimuth
    gap = math.radians(coordinates.spec.min_separation_deg) * (1 + MORE) + MORE_RAD
    high = coordinates.spec.sector_rad[1]
    parts = list(azimuth.unbind(-1))
    for i in range(1, p):
        parts[i] = torch.maximum(parts[i], parts[i - 1] + gap)
    if coordinates.spec.full_circle:
        parts[-1] = torch.minimum(parts[-1], parts[0] + 2 * math.pi - gap)
    parts[-1] = parts[-1] if coordinates.spec.full_circle else parts[-1].clamp_max(high)
    for i in range(p - 2, -1, -1):
        parts[i] = torch.minimum(parts[i], parts[i + 1] - gap)
    return torch.stack(parts, -1)
