"""How badly a batch fits its posterior.

Where a posterior counts far fewer snapshots than there are, its samples are too far apart to stand for the model. There
the model is fitted instead, with sources of any correlation (the coupling must not make up for what is seen of it).
"""

from dataclasses import replace

import torch

from doamc.estimators.misfit import Misfit, misfit_of_fit, misfit_of_samples
from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import information
from doamc.likelihood.mode_search import search_modes
from doamc.posterior.sampled_part import SampledPart
from doamc.snapshots.effective_snapshots import Lengths

LOOKED_AT = 16  #: samples: their average says what that of all would, to a tenth of a standard deviation
TOO_FAR = 1.5  #: samples of a posterior that counts this factor fewer snapshots than there are do not stand for it
LEAST_INFORMATION = 1e-9  #: what is less is divided by no more
STEPS, SURVIVORS = 20, 3  #: of the search for the model that fits, from a quarter of the samples looked at


def misfit_of(part: SampledPart, lengths: Lengths) -> Misfit:
    """Misfit of observations that were sampled, whose covariance has these effective lengths."""
    posterior, x = part.samples.posterior, part.samples.x
    # a step that is no whole number: chains stand side by side, and a whole one may meet the same chain throughout
    place = torch.linspace(0, x.shape[2] - 1, LOOKED_AT, dtype=torch.float64).long()
    x = x[:, :, place.to(x.device)]
    v = posterior.response(x)
    found = misfit_of_samples(
        posterior.covariance, v, posterior.noise_power(x).expand(v.shape[:2]), lengths, part.length
    )
    far = (lengths.cross > TOO_FAR * part.length).nonzero()[:, 0]
    if len(far):
        other = _fitted(posterior.select(far), x[far], lengths.select(far))
        for name, values in vars(found).items():
            values[far] = getattr(other, name)
    return found


def _fitted(posterior: ExactPosterior, x: torch.Tensor, lengths: Lengths) -> Misfit:
    """Misfit of the likeliest model near samples (B, d, S), its sources of any correlation."""
    coordinates, noise = posterior.coordinates, posterior.known_log_noise
    x = x[:, :, ::4]
    if coordinates.n_sources > 1 and not coordinates.coherent:
        coordinates, x = _correlated(coordinates, x)
    full = ExactPosterior(
        coordinates, posterior.covariance, lengths.cross, None if noise is None else noise[:, 0].exp()
    )
    x, value = search_modes(full, x, full(x), STEPS, SURVIVORS)
    best = value.argmax(1)[:, None, None].expand(-1, x.shape[1], 1)
    x = x.gather(2, best)
    s2 = full.noise_power(x)[:, 0]
    return misfit_of_fit(posterior.covariance, full.response(x)[:, 0], s2, lengths, _told(full, x))


def _told(posterior: ExactPosterior, x: torch.Tensor) -> torch.Tensor:
    """How many parameters (B,) of scenes x (B, d, 1) the batch tells, tr(F (F + P)^-1) with P of the normal prior."""
    coordinates = posterior.coordinates
    with_prior = information(posterior, x)[1][:, 0]
    normal = torch.zeros(coordinates.size, dtype=torch.bool, device=x.device)
    normal[coordinates.normal] = True
    scale = with_prior.diagonal(dim1=1, dim2=2).clamp_min(LEAST_INFORMATION).rsqrt()
    ridge = LEAST_INFORMATION * torch.eye(coordinates.size, dtype=x.dtype, device=x.device)
    inverse = torch.linalg.inv(with_prior * scale[:, :, None] * scale[:, None] + ridge)
    left = (inverse.diagonal(dim1=1, dim2=2) * scale.square())[:, normal].sum(1)
    return coordinates.size - left.clamp(0, coordinates.n_normal)


def _correlated(coordinates: Coordinates, x: torch.Tensor) -> tuple[Coordinates, torch.Tensor]:
    """Coordinates with correlations between sources, and samples with small ones of several phases."""
    p = coordinates.n_sources
    pairs, place = p * (p - 1) // 2, p + coordinates.n_flat

    def wider(values: torch.Tensor, angle: torch.Tensor, phase: torch.Tensor, axis: int) -> torch.Tensor:
        before, after = values.split([place, values.shape[axis] - place], axis)
        return torch.cat([before, angle, after, phase], axis)

    ends = coordinates.low.new_zeros(pairs)
    low = wider(coordinates.low, ends, ends - torch.pi, 0)
    high = wider(coordinates.high, ends + torch.pi / 2, ends + torch.pi, 0)
    wraps = wider(coordinates.wraps, ends.bool(), ~ends.bool(), 0)
    turn = 2 * torch.pi * torch.arange(x.shape[2], device=x.device) / x.shape[2] - torch.pi
    phase = turn.expand(len(x), pairs, -1).to(x)
    wide = replace(coordinates, low=low, high=high, wraps=wraps, coherent=True)
    return wide, wider(x, torch.full_like(phase, 0.2), phase, 1)
