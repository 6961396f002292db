"""Log evidence of a number of sources, by importance sampling from what the sampler found.

Z_P = int prior(x) p(Rhat | x) dx. The prior is uniform in a box, so its density is one over the box's volume
and over the share of azimuths that keep their least separation. Draws come from a Student distribution fitted to the
posterior samples; those outside the prior's support weigh nothing. Samples are sorted by azimuth, one of P! equal
orders, hence the factor P!.
"""

import math
from dataclasses import replace

import torch

from doamc.angles import wrap_rad
from doamc.likelihood.coordinates import NEPER_PER_DB, Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.report.directions import sphere_units
from doamc.posterior.report.source_order import aligned
from doamc.posterior.sampling.samples import Samples
from doamc.scenes.directions import nearest_order

BEYOND_DB = 30.0  #: by how much source powers of a receiver of unknown scale may leave the range that was sampled
FREEDOM = 8.0  #: degrees of freedom of the proposal's tails
WIDEN = 1.3  #: factor on the samples' covariance: a proposal wider than the posterior loses less than a narrow one
SPHERE_DRAWS = 1 << 14  #: for the share of directions that keep their least separation
SAME_DISTANCE = 1e-9  #: rad^2, of two ways to write one scene: round-off
UNIT_RIDGE = 1e-9  #: on the diagonal of a matrix scaled to one: round-off must not make it indefinite


def separation_share(coordinates: Coordinates) -> float:
    """Probability that independent uniform azimuths keep the least separation."""
    if coordinates.spec.elevated:
        return sphere_share(coordinates)
    p, gap = coordinates.n_sources, math.radians(coordinates.spec.min_separation_deg)
    low, high = coordinates.spec.sector_rad
    if coordinates.spec.full_circle:
        return (1 - p * gap / (high - low)) ** (p - 1)
    return (1 - (p - 1) * gap / (high - low)) ** p


def sphere_share(coordinates: Coordinates) -> float:
    """The same of directions uniform on the sphere, by draws: to a percent."""
    if coordinates.n_sources == 1:
        return 1.0
    u = torch.rand(coordinates.size, SPHERE_DRAWS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = (coordinates.low[:, None] + (coordinates.high - coordinates.low)[:, None] * u.to(coordinates.low))[None]
    apart = coordinates.apart(coordinates.split(x)[3], coordinates.heights(x))
    return 1.0 if apart is None else max(float(apart.double().mean()), 1 / SPHERE_DRAWS)


@torch.no_grad()
def log_evidence(
    samples: Samples,
    snapshots: torch.Tensor,  # shape: (B,), effective L
    level_known: bool,
    draws: int = 512,
    seed: int = 0,
) -> torch.Tensor:
    """Log evidence (B,), up to a constant that does not depend on the number of sources.

    level_known: whether the prior over source powers is that of the samples, or that of `free_level_log_prior`.
    """
    coordinates, log_mass = samples.coordinates, samples.log_mass.clone()
    same = (snapshots == samples.posterior.snapshots[:, 0]) & level_known
    unknown = (log_mass.isnan() | ~same).nonzero()[:, 0]
    if len(unknown):
        some = samples.select(unknown)
        log_mass[unknown] = log_mass_by_importance(some, snapshots[unknown], level_known, draws, seed)
    widths = (coordinates.high - coordinates.low).log()
    widths[coordinates.normal] = 0.5 * math.log(2 * math.pi)  # a standard normal density has this for its volume
    if not level_known:
        widths[: coordinates.n_sources] = 0.0
    volume = widths.sum() + math.log(separation_share(coordinates))
    return log_mass - volume + math.lgamma(coordinates.n_sources + 1)


def log_mass_by_importance(
    samples: Samples,
    snapshots: torch.Tensor,  # shape: (B,)
    level_known: bool,
    draws: int,
    seed: int,
) -> torch.Tensor:
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
    walls = coordinates if level_known else with_free_level(coordinates)
    posterior = samples.posterior.replaced(walls, snapshots)
    inside = torch.where(counted_once(new, mean, coordinates), posterior(coordinates.wrap(new)), -math.inf)
    if not level_known:
        inside = inside + free_level_log_prior(posterior, new)
    return torch.logsumexp(inside - log_q, 1) - math.log(draws)


def counted_once(
    x: torch.Tensor,  # shape: (B, d, S)
    centre: torch.Tensor,  # shape: (B, d, 1)
    coordinates: Coordinates,
) -> torch.Tensor:
    """Whether points are those, of all that mean the same scene, that lie nearest to a centre, (B, S) bool.

    Turned by a period, or with its sources in another order, a point is the same scene; drawn from a proposal on the
    whole space it would count several times. Of orders on a circle the nearest is one of the turns of the sorted one.
    """
    own = x - centre
    half = torch.where(coordinates.wraps, 0.5 * (coordinates.high - coordinates.low), math.inf)[:, None]
    once = (own.abs() <= half).all(1)
    if coordinates.n_sources == 1:
        return once
    azimuth = coordinates.split(x)[3]
    if coordinates.spec.elevated:
        return once & nearest_on_sphere(x, centre, coordinates)
    if not coordinates.spec.full_circle:
        return once & (azimuth.diff(dim=1) > 0).all(1)
    middle, ordered = coordinates.split(centre)[3], wrap_rad(azimuth).sort(1)[0]
    turns = torch.stack([ordered.roll(k, 1) for k in range(coordinates.n_sources)], 1)
    least = wrap_rad(turns - middle[:, None]).square().sum(2).amin(1)
    return once & (coordinates.split(own)[3].square().sum(1) <= least + SAME_DISTANCE)


def nearest_on_sphere(x: torch.Tensor, centre: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Whether no other order of the sources of points (B, d, S) lies nearer to a centre (B, d, 1), (B, S) bool."""
    unit, middle = (sphere_units(v, coordinates) for v in (x, centre))
    cosine = torch.einsum("bpk,bqnk->bpqn", middle[:, :, 0], unit)
    own = cosine.diagonal(dim1=1, dim2=2).sum(2)
    best = cosine.gather(2, nearest_order(cosine)[:, :, None]).sum((1, 2))
    return own >= best - SAME_DISTANCE


def with_free_level(coordinates: Coordinates) -> Coordinates:
    """The same coordinates with wider walls around the source powers."""
    low, high, p = coordinates.low.clone(), coordinates.high.clone(), coordinates.n_sources
    low[:p] -= NEPER_PER_DB * BEYOND_DB
    high[:p] += NEPER_PER_DB * BEYOND_DB
    return replace(coordinates, low=low, high=high)


def free_level_log_prior(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S)
) -> torch.Tensor:
    """Log density (B, S) of log amplitudes for a receiver of unknown scale, -inf outside its support.

    A source of 0 dB has the level l over the noise, uniform over the specification's SNR, S_0 to S_1; the sources lie
    uniformly in the specification's range of powers a to b below and above it. With p_i their powers over the noise

        density = |[S_0, S_1] and [max p_i - b, min p_i - a]| / ((S_1 - S_0) (b - a)^P)     per dB^P
    """
    coordinates = posterior.coordinates
    amplitude, _, noise, _, _ = coordinates.split(x)
    power = (amplitude - 0.5 * posterior.log_noise(noise)[:, None]) / NEPER_PER_DB
    (low, high), (least, most) = coordinates.spec.power_db, coordinates.spec.snr_db
    top, bottom = (power.amin(1) - low).clamp_max(most), (power.amax(1) - high).clamp_min(least)
    width = (top - bottom).clamp_min(0.0).log()
    return width - math.log(most - least) - coordinates.n_sources * math.log(NEPER_PER_DB * (high - low))


def student_log_density(t: torch.Tensor, freedom: float) -> torch.Tensor:
    """Log density of a standard multivariate Student distribution, t (d, n) -> (n,)."""
    d = t.shape[0]
    constant = math.lgamma((freedom + d) / 2) - math.lgamma(freedom / 2) - d / 2 * math.log(freedom * math.pi)
    return constant - (freedom + d) / 2 * torch.log1p(t.square().sum(0) / freedom)
