"""Where beams find the sources of a model that is to be fitted: starts of `Hypothesis.fit`."""

import torch

from doamc.estimators.hypotheses import Hypothesis
from doamc.estimators.sphere import SphereGrid
from doamc.spec import ArraySpec
from doamc.spec.wide import with_wide_prior

UNHEARD = -20.0  #: log power of a source that is not there yet
STEP_DEG = 2.0
FAINTEST = 1e-3  #: of the noise, the least power of a source that starts
LEAST_NOISE = 1e-4  #: of the mean power, at which noise starts


def everywhere(spec: ArraySpec) -> tuple[torch.Tensor, ...]:
    """Directions that an emitter may have, azimuths and, of an array with elevations, elevations, each (G,) rad."""
    if spec.elevated:
        sphere = SphereGrid(with_wide_prior(spec))
        return sphere.azimuth, sphere.elevation
    end = 180 if spec.full_circle else 90
    return (torch.arange(-end, end + 1, STEP_DEG, dtype=torch.float64).deg2rad(),)


def strongest(
    h: Hypothesis,
    x: torch.Tensor,  # shape: (I, D), all of the same coupling
    covariance: torch.Tensor,  # shape: (I, M, M)
    channels: torch.Tensor,  # shape: (I, M), element of each row
) -> tuple[torch.Tensor, torch.Tensor]:
    """Directions (I, 1 or 2), rad, and log powers (I,) of sources that explain most of what models leave."""
    grid = everywhere(h.spec)
    theta = x[0, h.first_theta : h.first_theta + h.spec.family.n_parameters]
    a = h.spec.family.response(theta, h.spec.positions, *grid)[channels]  # (I, M, G)
    item = torch.arange(len(x))[:, None, None]
    r = h.covariance(x)[item, channels[:, :, None], channels[:, None]]
    w = torch.linalg.solve(r, a)
    left = (w.conj() * ((covariance - r) @ w)).sum(1).real
    norm = (a.conj() * w).sum(1).real
    best = (left.clamp_min(0) / norm).argmax(1, keepdim=True)
    power = (left.gather(1, best) / norm.gather(1, best).square())[:, 0]
    noise = x[:, sum(h.sizes[:5])].exp()
    return torch.stack([angle[best[:, 0]] for angle in grid], 1), torch.maximum(power, FAINTEST * noise).log()


def moved(h: Hypothesis, x: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """Starts (P, D) in each of which one source of x (D,) has gone to where most is left without it."""
    p = h.n_sources
    out, place = x.expand(p, -1).clone(), torch.arange(p)
    kept = out.clone()
    kept[place, h.first_power + place] = UNHEARD
    everything = torch.arange(h.spec.n_elements).expand(p, -1)
    direction, out[place, h.first_power + place] = strongest(h, kept, covariance.expand(p, -1, -1), everything)
    for k, angle in enumerate(direction.T):
        out[place, k * p + place] = angle
    return out


def with_one_more(h: Hypothesis, x: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """x (D,) and one more source, longer by its direction and power."""
    everything = torch.arange(h.spec.n_elements)[None]
    direction, power = strongest(h, x[None], covariance[None], everything)
    own = x[: h.first_theta].unflatten(0, (-1, h.n_sources))  # azimuths, elevations, powers
    return torch.cat([torch.cat([own, torch.cat([direction[0], power])[:, None]], 1).flatten(), x[h.first_theta :]])


def from_nothing(
    h: Hypothesis,
    covariance: torch.Tensor,  # shape: (I, M, M)
    channels: torch.Tensor,  # shape: (I, M)
    noise: torch.Tensor | None = None,  # shape: (size,), of the model's noise
    theta: torch.Tensor | None = None,  # shape: (K,)
) -> torch.Tensor:
    """Starts (I, D) of a model: one source found after the other, each moved once.

    noise: its parameters for a power of 1; the power is that of the least eigenvalues. theta: of the coupling; where
    left out none of it, or the mean of a drawn family.
    """
    p, m, model = h.n_sources, covariance.shape[1], h.noise_model
    u = (model.starts()[0] if noise is None else noise).expand(len(covariance), -1)
    k = model.covariance(u)[torch.arange(len(u))[:, None, None], channels[:, :, None], channels[:, None]]
    least = [torch.linalg.eigvalsh(r)[:, : m - p].mean(1) for r in (covariance, k)]
    level = torch.maximum(least[0] / least[1], LEAST_NOISE * covariance.diagonal(dim1=1, dim2=2).real.mean(1))
    x = torch.zeros(len(covariance), sum(h.sizes), dtype=torch.float64)
    x[:, h.first_power : h.first_theta] = UNHEARD
    x[:, -model.size :] = model.scaled(u, level.log())
    if theta is not None:
        x[:, h.first_theta : h.first_theta + len(theta)] = theta
    for source in [*range(p), *range(p if p > 1 else 0)]:
        x[:, h.first_power + source] = UNHEARD
        direction, x[:, h.first_power + source] = strongest(h, x, covariance, channels)
        x[:, source : h.first_power : p] = direction
    return x
