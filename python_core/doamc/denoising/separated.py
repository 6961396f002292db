"""Waveforms and clean snapshots over samples of scenes, given messages."""

from dataclasses import dataclass, replace

import torch

from doamc.denoising.message_likelihood import MessagePosterior
from doamc.denoising.messages import Messages, posterior_covariance
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.source_correlation import factor

SCENES = 48  #: samples of the scene over which waveforms are averaged


@dataclass(frozen=True)
class Separated:
    """Posterior means of clean snapshots (B, N, L) and waveforms (B, P, L), and deviation (B, P, L) of the latter.

    scatter: (B, P), the part of their mean variance that the scene makes.
    """

    clean: torch.Tensor
    waveforms: torch.Tensor
    std: torch.Tensor
    scatter: torch.Tensor


def thinned(x: torch.Tensor, count: int) -> torch.Tensor:
    """Up to count of samples (B, d, n), evenly."""
    picks = torch.linspace(0, x.shape[2] - 1, min(count, x.shape[2]), dtype=torch.float64, device=x.device)
    return x[:, :, picks.long()]


def mean_response(posterior: MessagePosterior, x: torch.Tensor, value: torch.Tensor | None = None) -> torch.Tensor:
    """Mean over samples of V, (B, N, P), whose columns are turned to agree before: a phase is no part of a scene.

    value: log posterior (B, n) of the samples, where it is known.
    """
    v, likeliest = posterior.response(x), (posterior(x) if value is None else value).argmax(1)
    turn = (v.conj() * v[torch.arange(len(v), device=v.device), likeliest][:, None]).sum(2, keepdim=True)
    return (v * (turn / turn.abs().clamp_min(1e-300))).mean(1)


def separate(posterior: MessagePosterior, x: torch.Tensor, y: torch.Tensor, messages: Messages) -> Separated:
    """E[s | y] and E[V s | y] over samples x (B, d + P, n) of scenes and phases, for snapshots y (B, N, L).

    A waveform without a message has no phase in x that means anything: response and waveform turn against each other.
    """
    x = thinned(x, SCENES)
    amplitude = posterior.coordinates.split(x)[0].exp().transpose(1, 2)  # (B, S, P)
    scale = torch.diag_embed(amplitude * posterior.coordinates.turn(x).transpose(1, 2))
    return _over_scenes(posterior, x, scale, y, messages)


def with_opinions(
    found: Separated,
    posterior: MessagePosterior,
    x: torch.Tensor,  # shape: (B, d + P, n), samples of scenes and phases
    messages: Messages,
) -> Separated:
    """The same with the prior's own opinion, received by the mean scene, for every emitter that has a message.

    A Gaussian message has one variance for all samples of a waveform, and a measured one at that; the prior knows
    better which symbols are sure.
    """
    few, heard = thinned(x, SCENES), (messages.variance < 1)[..., None]
    v = mean_response(posterior, few)
    scale = _mean_scale(posterior, few, v)[..., None]
    waveforms = torch.where(heard, scale * messages.opinion, found.waveforms)
    spread = (scale.abs().square() * messages.doubt + found.scatter[..., None]).sqrt()
    clean = v @ (waveforms / scale)
    return replace(
        found,
        clean=torch.where(heard.any(1, keepdim=True), clean, found.clean),
        waveforms=waveforms,
        std=torch.where(heard, spread, found.std),
    )


def _mean_scale(posterior: MessagePosterior, x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Mean amplitude with phase (B, P) of emitters whose response, turned as in `mean_response`, is v."""
    own = posterior.response(x)
    turn = (own.conj() * v[:, None]).sum(2)
    amplitude = posterior.coordinates.split(x)[0].exp().transpose(1, 2)
    phase = posterior.coordinates.turn(x).transpose(1, 2)
    return (amplitude * phase * turn / turn.abs().clamp_min(1e-300)).mean(1)


def separate_correlated(posterior: ExactPosterior, x: torch.Tensor, y: torch.Tensor, messages: Messages) -> Separated:
    """The same over samples x (B, d, n) of sources of any correlation, where messages must say nothing."""
    x, c = thinned(x, SCENES), posterior.coordinates
    gamma = factor(*c.split_correlation(x), c.n_sources).permute(0, 3, 1, 2)
    return _over_scenes(posterior, x, c.split(x)[0].exp().transpose(1, 2)[..., None] * gamma, y, messages)


def _over_scenes(
    posterior: ExactPosterior,
    x: torch.Tensor,
    scale: torch.Tensor,  # shape: (B, S, P, P), from what V is a response to, to waveforms
    y: torch.Tensor,
    messages: Messages,
) -> Separated:
    v, noise = posterior.response(x), posterior.noise_power(x).expand(len(x), x.shape[2])
    covariance = posterior_covariance(v, noise, messages.variance[:, None])
    filters = covariance @ v.mH / noise[..., None, None]  # of y - V m, (B, S, P, N)
    rest = torch.eye(v.shape[3], dtype=v.dtype, device=v.device) - filters @ v  # of m
    clean = (v @ filters).mean(1) @ y + (v @ rest).mean(1) @ messages.mean
    own, other = scale @ filters, scale @ rest
    waveforms = own.mean(1) @ y + other.mean(1) @ messages.mean
    left = (scale @ covariance @ scale.mH).diagonal(dim1=2, dim2=3).real.mean(1)
    scatter = _scatter(own, other, y, messages.mean).clamp_min(0)
    std = (left.clamp_min(0) + scatter).sqrt()[..., None].expand(waveforms.shape)
    return Separated(clean, waveforms, std, scatter)


def _scatter(own: torch.Tensor, other: torch.Tensor, y: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Mean over time (B, P) of the variance over scenes of own y + other m, by the moments of [y; m]."""
    filters = torch.cat([own, other], 3)
    filters = filters - filters.mean(1, keepdim=True)
    both = torch.cat([y, told], 1)
    moments = both @ both.mH / both.shape[2]
    return ((filters @ moments[:, None]) * filters.conj()).sum(3).real.mean(1)
