"""Chain starts drawn around modes: a mixture of normal distributions, resampled by importance."""

import math
from dataclasses import dataclass

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import covariance_factors
from doamc.posterior.proposals.localisation import FoundModes
from doamc.posterior.sampling.random_tables import whitened
from doamc.posterior.sampling.resampling import even_comb, gather, systematic

EFFECTIVE_SHARE = 0.5  #: of the chains whose starts must differ: more draws alike would be copies of a few
OUTSIDE = -1e6  #: log weight of a draw outside the prior's support, instead of minus infinity
#: effective share of the draws where the posterior is normal: they are drawn so much wider than it, since tails that
#: the draws hardly reach are missing from the chains' starts, and a short chain keeps the lack
WIDE_SHARE = 0.5
SAME_MODE = 0.25  #: of d: two ends of a search whose squared distance, in widths, is below are one mode


@dataclass(frozen=True)
class ModeDraws:
    """Chain starts around modes.

    x: (B, d, C) points, value (B, C) their log posterior. factors: (B, C, d, d) of the covariances of their modes.
    fit: (B,), effective share of the draws over `WIDE_SHARE`, near 1 where the posterior is a sum of normal ones.
    """

    x: torch.Tensor
    value: torch.Tensor
    factors: torch.Tensor
    fit: torch.Tensor


class ModeSampler:
    """Draws around modes, some for every chain; the normal table is drawn once, from the seed."""

    def __init__(self, chains: int, draws: int, size: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        fine = draws * chains
        table = torch.randn(fine, size, generator=generator, dtype=torch.float64)
        self.normal = whitened(table)[torch.randperm(fine, generator=generator)].to(device)
        self.fine_comb, self.comb = even_comb(fine, device), even_comb(chains, device)

    def __call__(self, posterior: ExactPosterior, modes: FoundModes) -> ModeDraws:
        """Normal draws around each mode, one copy of each, resampled by their importance.

        Where too few of them count (walls, skewed posteriors) the importance is tempered, and the chains do the rest.
        """
        coordinates = posterior.coordinates
        root = covariance_factors(posterior, modes.x)
        volume = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        copies = same_mode(modes.x, root, coordinates).sum(-1)
        mass = torch.log_softmax(modes.value + volume - copies.log(), 1)
        which = systematic(mass.exp(), self.fine_comb)
        factors = root.gather(1, which[..., None, None].expand(-1, -1, *root.shape[2:]))
        z = self.normal[:, : coordinates.size]
        centre = gather(modes.x, which)
        wide = widening(coordinates.size, WIDE_SHARE)
        drawn = coordinates.reflect(centre + wide * (factors @ z[..., None])[..., 0].transpose(1, 2))
        value = posterior(drawn)
        log_weight = value - (mass - volume).gather(1, which) + 0.5 * z.square().sum(1)
        log_weight = (log_weight - log_weight.amax(1, keepdim=True)).nan_to_num(nan=0.0, neginf=OUTSIDE)
        fit = 1 / torch.softmax(log_weight, 1).square().sum(1) / (WIDE_SHARE * log_weight.shape[1])
        power = posterior.backend.tempering(log_weight, EFFECTIVE_SHARE * len(self.comb), 1.0)
        index = systematic(torch.softmax(power[:, None] * log_weight, 1), self.comb)
        index = torch.where(value.gather(1, index) > -math.inf, index, value.argmax(1, keepdim=True))
        none = (value == -math.inf).all(1)[:, None]  # a mode in a corner of the prior: start at the modes themselves
        drawn = torch.where(none[:, None], centre, drawn)
        value = torch.where(none, modes.value.gather(1, which), value)
        factors = factors.gather(1, index[..., None, None].expand(-1, -1, *root.shape[2:]))
        return ModeDraws(gather(drawn, index), value.gather(1, index), factors, fit)


def widening(size: int, share: float) -> float:
    """Factor w on the deviations of normal draws in d dimensions that leaves a share of them effective.

    That share is (sqrt(2 w^2 - 1) / w^2)^d where the posterior is normal.
    """
    c = share ** (-2 / size)
    return math.sqrt(c + math.sqrt(c * c - c))


def same_mode(x: torch.Tensor, factors: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Which points (B, d, G) ended in one mode: (B, G, G) of 0 and 1, by their Mahalanobis distance.

    factors: (B, G, d, d), upper triangular, of the covariance of the normal approximation at each point.
    """
    apart = (x[:, :, :, None] - x[:, :, None]).permute(0, 2, 1, 3)  # (B, G, d, G)
    period = torch.where(coordinates.wraps, coordinates.high - coordinates.low, math.inf)[:, None]
    turn = (apart / period).round() * torch.where(coordinates.wraps[:, None], period, 0.0)
    distance = torch.linalg.solve_triangular(factors, apart - turn, upper=True).square().sum(2)
    return (distance < SAME_MODE * coordinates.size).double()
