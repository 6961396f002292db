"""Log evidence of a number of sources, by importance sampling from what the sampler found.

Z_P = int prior(x) p(Rhat | x) dx. The prior is uniform in a box, so its density is one over the box's volume
and over the share of azimuths that keep their least separation. Draws come from a Student distribution fitted to the
posterior samples; those outside the prior's support weigh nothing. Samples are sorted by azimuth, one of P! equal
orders, hence the factor P!.
"""

import math

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.posterior.report.source_order import aligned
from doamc.posterior.sampling.samples import Samples

FREEDOM = 8.0  #: degrees of freedom of the proposal's tails
WIDEN = 1.3  #: factor on the samples' covariance: a proposal wider than the posterior loses less than a narrow one
UNIT_RIDGE = 1e-9  #: on the diagonal of a matrix scaled to one: round-off must not make it indefinite


def separation_share(coordinates: Coordinates) -> float:
    """Probability that independent uniform azimuths keep the least separation."""
    p, gap = coordinates.n_sources, math.radians(coordinates.spec.min_separation_deg)
    low, high = coordinates.spec.sector_rad
    if coordinates.spec.full_circle:
        return (1 - p * gap / (high - low)) ** (p - 1)
    return (1 - (p - 1) * gap / (high - low)) ** p


@torch.no_grad()
def log_evidence(samples: Samples, draws: int = 512, seed: int = 0) -> torch.Tensor:
    """Log evidence (B,), up to a constant that does not depend on the number of sources."""
    coordinates, log_mass = samples.coordinates, samples.log_mass.clone()
    unknown = log_mass.isnan().nonzero()[:, 0]
    if len(unknown):
        log_mass[unknown] = log_mass_by_importance(samples.select(unknown), draws, seed)
    widths = (coordinates.high - coordinates.low).log()
    widths[coordinates.normal] = 0.5 * math.log(2 * math.pi)  # a standard normal density has this for its volume
    volume = widths.sum() + math.log(separation_share(coordinates))
    return log_mass - volume + math.lgamma(coordinates.n_sources + 1)


def log_mass_by_importance(samples: Samples, draws: int, seed: int) -> torch.Tensor:
    """Log integral (B,) of prior times likelihood over one order of the sources."""
    coordinates, x = samples.coordinates, aligned(samples.x, samples.coordinates)
    _, d, n = x.shape
    mean = x.mean(2, keepdim=True)
    centred = x - mean
    covariance = WIDEN * (centred @ centred.mT) / n
    scale = covariance.diagonal(dim1=1, dim2=2).clamp_min(1e-24).sqrt()
    eye = torch.eye(d, dtype=x.dtype, device=x.device)
    root = torch.linalg.cholesky(covariance / scale[:, :, None] / scale[:, None] + UNIT_RIDGE * eye) * scale[:, :, None]
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(d, draws, generator=generator, dtype=torch.float64).to(x.device)
    square = torch.randn(int(FREEDOM), draws, generator=generator, dtype=torch.float64).square().sum(0).to(x.device)
    t = z * (FREEDOM / square).sqrt()
    new = mean + root @ t
    log_q = student_log_density(t, FREEDOM) - root.diagonal(dim1=1, dim2=2).log().sum(1)[:, None]
    inside = samples.posterior(coordinates.wrap(new))
    return torch.logsumexp(inside - log_q, 1) - math.log(draws)


def student_log_density(t: torch.Tensor, freedom: float) -> torch.Tensor:
    """Log density of a standard multivariate Student distribution, t (d, n) -> (n,)."""
    d = t.shape[0]
    constant = math.lgamma((freedom + d) / 2) - math.lgamma(freedom / 2) - d / 2 * math.log(freedom * math.pi)
    return constant - (freedom + d) / 2 * torch.log1p(t.square().sum(0) / freedom)


def log_evidence_of_noise(
    covariance: torch.Tensor,  # shape: (B, N, N)
    snapshots: torch.Tensor,  # shape: (B,)
    noise_power: torch.Tensor | None,  # shape: (B,), where known
    log_range: float,  # width of the prior over the logarithm of an unknown noise power
) -> torch.Tensor:
    """Log evidence (B,) of no source at all, the same constant left out; Laplace's integral over log noise power."""
    n = covariance.shape[-1]
    trace = covariance.diagonal(dim1=1, dim2=2).real.sum(1)
    if noise_power is not None:
        return -snapshots * (n * noise_power.log() + trace / noise_power)
    peak = -snapshots * n * ((trace / n).log() + 1)
    return peak + 0.5 * (2 * math.pi / (snapshots * n)).log() - math.log(log_range)
