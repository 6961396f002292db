"""Draws around modes: a mixture of normal distributions, resampled by importance, for samples or for chain starts."""

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
#: the draws hardly reach are missing from the samples, and a short chain keeps the lack
WIDE_SHARE = 0.5
SAME_MODE = 0.25  #: of d: two ends of a search whose squared distance, in widths, is below are one mode
ONE_MODE = 0.999  #: of the mass: beside a mode that has so much, others do not count


@dataclass(frozen=True)
class ModeDraws:
    """Draws around modes, and what their importance says of them.

    drawn: (B, d, F) points, reflected at the prior's walls from free (B, d, F). value: (B, F) their log posterior,
    log_weight (B, F) their log importance, which is exact where there is one mode, but for what was reflected. which:
    (B, F) mode of each, factors: (B, G, d, d) of the covariances of modes.
    fit: (B,), effective share of the draws over `WIDE_SHARE`, near 1 where the posterior is a sum of normal ones.
    single: (B,), whether one mode has all of the mass.
    """

    drawn: torch.Tensor
    free: torch.Tensor
    value: torch.Tensor
    log_weight: torch.Tensor
    which: torch.Tensor
    factors: torch.Tensor
    fit: torch.Tensor
    single: torch.Tensor

    def importance(self, coordinates: Coordinates) -> "Importance":
        """Importance sampling by the draws of single modes, where what was reflected weighs nothing."""
        log_weight = self.log_weight.masked_fill(~coordinates.inside(self.free), -math.inf)
        return Importance(
            self.drawn, log_weight, torch.where(self.single, effective_share(log_weight) / WIDE_SHARE, 0.0)
        )


@dataclass(frozen=True)
class Importance:
    """Draws (B, d, F) of a normal distribution with exact log weights (B, F), and fit (B,) as above."""

    drawn: torch.Tensor
    log_weight: torch.Tensor
    fit: torch.Tensor

    def samples(self, count: int, chains: int) -> torch.Tensor:
        """Samples (B, d, count) of the posterior; few of them differ where the fit is low.

        They lie as states of chains do: each run of `chains` of them, as each chain, stands for the whole posterior.
        """
        comb = even_comb(count, self.drawn.device).view(chains, -1).mT.flatten()  # neighbours are one draw often
        return gather(self.drawn, systematic(torch.softmax(relative(self.log_weight), 1), comb))

    def independent(self) -> torch.Tensor:
        """How many independent samples (B,) the draws are worth."""
        return self.fit * WIDE_SHARE * self.drawn.shape[2]

    def log_mass(self) -> torch.Tensor:
        """Log integral (B,) of prior times likelihood; exact in the limit."""
        _, d, count = self.drawn.shape
        volume = d * (0.5 * math.log(2 * math.pi) + math.log(widening(d, WIDE_SHARE)))
        return torch.logsumexp(self.log_weight, 1) + volume - math.log(count)


@dataclass(frozen=True)
class ModeStarts:
    """Chain starts around modes: x (B, d, C), its log posterior value (B, C), factors (B, C, d, d) of the modes."""

    x: torch.Tensor
    value: torch.Tensor
    factors: torch.Tensor


class ModeSampler:
    """Draws around modes, some for every chain; the normal table is drawn once, from the seed."""

    def __init__(self, chains: int, draws: int, size: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        fine = draws * chains
        table = torch.randn(fine, size, generator=generator, dtype=torch.float64)
        self.normal = whitened(table)[torch.randperm(fine, generator=generator)].to(device)
        self.fine_comb, self.comb = even_comb(fine, device), even_comb(chains, device)

    def __call__(self, posterior: ExactPosterior, modes: FoundModes) -> ModeDraws:
        """Normal draws around each mode, one copy of each."""
        coordinates = posterior.coordinates
        root = covariance_factors(posterior, modes.x)
        volume = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        alike = same_mode(modes.x, root, coordinates)
        mass = torch.log_softmax((modes.value + volume).masked_fill(copies(modes.value, alike), -math.inf), 1)
        which = systematic(mass.exp(), self.fine_comb)
        z = self.normal[:, : coordinates.size].mT
        free = drawn_around(modes.x, root, which, widening(len(z), WIDE_SHARE) * z)
        drawn = coordinates.reflect(free)
        value = posterior(drawn)
        log_weight = value - (mass - volume).gather(1, which) + 0.5 * z.square().sum(0)
        single = mass.amax(1) > math.log(ONE_MODE)
        return ModeDraws(drawn, free, value, log_weight, which, root, effective_share(log_weight) / WIDE_SHARE, single)

    def starts(self, posterior: ExactPosterior, modes: FoundModes, near: ModeDraws) -> ModeStarts:
        """Draws resampled by their importance, one for each chain.

        Where too few of them count (walls, skewed posteriors) the importance is tempered, and the chains do the rest.
        """
        log_weight = relative(near.log_weight)
        power = posterior.backend.tempering(log_weight, EFFECTIVE_SHARE * len(self.comb), 1.0)
        index = systematic(torch.softmax(power[:, None] * log_weight, 1), self.comb)
        index = torch.where(near.value.gather(1, index) > -math.inf, index, near.value.argmax(1, keepdim=True))
        none = (near.value == -math.inf).all(1)[:, None]  # a mode in a corner of the prior: start at the modes
        which = near.which.gather(1, index)
        x = torch.where(none[:, None], gather(modes.x, which), gather(near.drawn, index))
        value = torch.where(none, modes.value.gather(1, which), near.value.gather(1, index))
        factors = near.factors.gather(1, which[..., None, None].expand(-1, -1, *near.factors.shape[2:]))
        return ModeStarts(x, value, factors)


def widening(size: int, share: float) -> float:
    """Factor w on the deviations of normal draws in d dimensions that leaves a share of them effective.

    That share is (sqrt(2 w^2 - 1) / w^2)^d where the posterior is normal.
    """
    c = share ** (-2 / size)
    return math.sqrt(c + math.sqrt(c * c - c))


def relative(log_weight: torch.Tensor) -> torch.Tensor:
    """Log weights (B, F) over the greatest one, finite throughout."""
    return (log_weight - log_weight.amax(1, keepdim=True)).nan_to_num(nan=0.0, neginf=OUTSIDE)


def effective_share(log_weight: torch.Tensor) -> torch.Tensor:
    """Effective sample size of weighted draws (B, F) over their number, (B,)."""
    return 1 / torch.softmax(relative(log_weight), 1).square().sum(1) / log_weight.shape[1]


def drawn_around(
    x: torch.Tensor,  # shape: (B, d, G), modes
    factors: torch.Tensor,  # shape: (B, G, d, d)
    which: torch.Tensor,  # shape: (B, F), mode of each draw, ascending
    z: torch.Tensor,  # shape: (d, F), standard normal
) -> torch.Tensor:
    """Draws x + U z (B, d, F), by one product for all draws of a mode."""
    out = []
    for modes, roots, row in zip(x, factors, which, strict=True):
        used, count = row.unique_consecutive(return_counts=True)
        parts = zip(used.tolist(), z.split(count.tolist(), 1), strict=True)
        out.append(torch.cat([torch.addmm(modes[:, k, None], roots[k], part) for k, part in parts], 1))
    return torch.stack(out)


def copies(value: torch.Tensor, alike: torch.Tensor) -> torch.Tensor:
    """Which points (B, G) have a higher one in the same mode, (B, G) bool; of equal ones the first stays."""
    higher = value[:, None] > value[:, :, None]
    earlier = torch.ones_like(alike[0], dtype=torch.bool).tril(-1)
    equal = (value[:, None] == value[:, :, None]) & earlier
    return (alike & (higher | equal)).any(2)


def same_mode(x: torch.Tensor, factors: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Which points (B, d, G) ended in one mode: (B, G, G) bool, by their Mahalanobis distance.

    factors: (B, G, d, d), upper triangular, of the covariance of the normal approximation at each point.
    """
    apart = (x[:, :, :, None] - x[:, :, None]).permute(0, 2, 1, 3)  # (B, G, d, G)
    period = torch.where(coordinates.wraps, coordinates.high - coordinates.low, math.inf)[:, None]
    turn = (apart / period).round() * torch.where(coordinates.wraps[:, None], period, 0.0)
    distance = torch.linalg.solve_triangular(factors, apart - turn, upper=True).square().sum(2)
    return distance < SAME_MODE * coordinates.size
