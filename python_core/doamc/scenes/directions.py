"""Directions on the sphere: drawn from the prior of an array that knows elevations, and told apart."""

import math
from itertools import permutations

import torch

from doamc.arrays.steering import direction
from doamc.errors import SpecificationError
from doamc.spec import ArraySpec

MOST_ORDERED = 5  #: sources of which all orders are tried; of more each takes the nearest that is left
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


def nearest_order(cosine: torch.Tensor) -> torch.Tensor:
    """Order (B, P, n) of sources q with the greatest sum of cosines (B, P, P, n) of rows p with sources q."""
    b, p, _, n = cosine.shape
    if p <= MOST_ORDERED:
        orders = torch.tensor(list(permutations(range(p))), device=cosine.device)  # (O, P)
        total = cosine[:, torch.arange(p, device=cosine.device), orders].sum(2)  # (B, O, n)
        return orders[total.argmax(1)].movedim(2, 1)
    left, out = cosine.clone(), torch.zeros(b, p, n, dtype=torch.int64, device=cosine.device)
    for _ in range(p):
        best = left.flatten(1, 2).argmax(1)  # (B, n)
        row, source = best // p, best % p
        out.scatter_(1, row[:, None], source[:, None])
        left.scatter_(1, row[:, None, None].expand(-1, -1, p, -1), -9.0)
        left.scatter_(2, source[:, None, None].expand(-1, p, -1, -1), -9.0)
    return out
