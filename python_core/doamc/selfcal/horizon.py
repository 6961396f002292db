"""Sources of a flat array near the horizon: what a batch tells of the cosines of their elevations.

Elements in the x-y plane hear of an elevation its cosine c alone. Its slope by the height h = sin(el), in which the
prior is flat, is zero at the horizon: a mode there has no information on h, and h has no normal law. c itself is told
there as well as anywhere, with an error that may lead beyond 1. So slopes and information are taken at heights of at
least `LIFTED`, where c has hardly moved; and h has the law N(c(h); c_hat, var c) between the ends of the sector, whose
quantiles are reported.
"""

from dataclasses import dataclass

import torch

from doamc.arrays.extent import is_flat
from doamc.likelihood.coordinates import Coordinates, across
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import likelihood_information
from doamc.spec.elevation import off_horizon

LIFTED = 0.1  #: height at least, of elevation 5.7 degrees, whose cosine is 0.995
POINTS, REACH = 401, 6.0  #: of the law of a height, and how many deviations of the cosine to either side they span
SHARES = (0.05, 0.5, 0.95)  #: of the quantiles


def heights_of(coordinates: Coordinates) -> slice:
    """Where the heights of an array with elevations lie in the coordinates of a belief."""
    return slice(coordinates.size - 2 * coordinates.n_sources, coordinates.size - coordinates.n_sources)


def folds(coordinates: Coordinates) -> bool:
    """Whether the array has elevations and hears their cosines alone."""
    return coordinates.spec.elevated and is_flat(coordinates.spec.positions)


def lifted(coordinates: Coordinates, x: torch.Tensor) -> torch.Tensor:
    """Points (B, d, S) with the heights that a flat array has too near the horizon moved away from it."""
    if not folds(coordinates):
        return x
    own = heights_of(coordinates)
    heights = off_horizon(coordinates.spec, x[:, own], LIFTED)
    return torch.cat([x[:, : own.start], heights, x[:, own.stop :]], 1)


@dataclass(frozen=True)
class Elevations:
    """Medians, standard deviations (M, P) and central 90 % (M, P, 2) in rad."""

    median: torch.Tensor
    std: torch.Tensor
    interval: torch.Tensor

    def first(self, count: int) -> "Elevations":
        """Of the first modes."""
        return Elevations(self.median[:count], self.std[:count], self.interval[:count])

    def ordered(self, order: torch.Tensor) -> "Elevations":
        """With sources in an order (M, P)."""
        median, std = (v.gather(1, order) for v in (self.median, self.std))
        return Elevations(median, std, self.interval.gather(1, order[..., None].expand(-1, -1, 2)))


def elevation_law(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (1, d, M)
) -> Elevations:
    """The law of the elevations of a flat array at M modes of one batch, everything else unknown."""
    coordinates, x = posterior.coordinates, lifted(posterior.coordinates, x)
    own, normal = heights_of(coordinates), coordinates.normal
    (pull,), (whole,) = likelihood_information(posterior, x)
    whole[:, normal, normal] += torch.eye(coordinates.n_normal, dtype=whole.dtype)
    pull[:, normal] -= x[0, normal].T
    inverse = torch.cholesky_inverse(
        torch.linalg.cholesky(whole + torch.diag_embed(1e-9 * whole.diagonal(dim1=1, dim2=2) + 1e-12))
    )
    height = x[0, own].T  # (M, P)
    slope = -height / across(height)  # of the cosine by the height
    cosine = across(height) + slope * (inverse[:, own] @ pull[..., None])[..., 0]
    deviation = slope.abs() * inverse[:, own, own].diagonal(dim1=1, dim2=2).sqrt()
    return _law(coordinates.spec.elevation_rad, cosine, deviation)


def _law(sector: tuple[float, float], cosine: torch.Tensor, deviation: torch.Tensor) -> Elevations:
    """Elevations of cosines (M, P) with normal errors, uniform on the sphere in the sector otherwise."""
    side = 1.0 if sector[1] > 0 else -1.0
    ends = torch.tensor(sorted(abs(e) for e in sector), dtype=cosine.dtype).sin()
    nearest, farthest = ((cosine + k * REACH * deviation).clamp(0.0, 1.0) for k in (1, -1))
    low, high = (across(c) for c in (nearest, farthest))
    # beyond the horizon by many deviations what is left of the law falls as exp(-excess h^2 / (2 variance))
    least = REACH * deviation / torch.maximum(cosine - 1, deviation).sqrt()
    low, high = (h.clamp(float(ends[0]), float(ends[1])) for h in (low, torch.maximum(high, least)))
    width = torch.maximum(high - low, torch.tensor(1e-9, dtype=high.dtype))
    h = low[..., None] + width[..., None] * torch.linspace(0, 1, POINTS, dtype=low.dtype)
    log_density = -0.5 * ((across(h) - cosine[..., None]) / deviation[..., None]).square()
    density = (log_density - log_density.amax(-1, keepdim=True)).exp()
    step = torch.nn.functional.pad(0.5 * (density[..., 1:] + density[..., :-1]), (1, 0)).cumsum(-1)
    share = step / step[..., -1:]
    angle = h.clamp(-1, 1).asin()
    weight = density / density.sum(-1, keepdim=True)
    mean = (weight * angle).sum(-1, keepdim=True)
    std = (weight * (angle - mean).square()).sum(-1).sqrt()
    found = [_at(share, angle, q) for q in SHARES]
    interval = torch.stack([found[0], found[2]] if side > 0 else [-found[2], -found[0]], -1)
    return Elevations(side * found[1], std, interval)


def _at(share: torch.Tensor, angle: torch.Tensor, wanted: float) -> torch.Tensor:
    """Angles (M, P) where shares (M, P, K), which ascend, reach what is wanted."""
    place = (share < wanted).sum(-1, keepdim=True).clamp(1, share.shape[-1] - 1)
    (left, right), (low, high) = ((v.gather(-1, place - 1), v.gather(-1, place)) for v in (share, angle))
    part = ((wanted - left) / (right - left).clamp_min(1e-300)).clamp(0, 1)
    return (low + part * (high - low))[..., 0]
