"""What a prior over waveforms says of every emitter, as a Gaussian message that has forgotten the batch's own noise.

y = V s + n, n ~ CN(0, s2 I), and emitters are independent: p(s) = prod_p p(s_p). Each factor p(s_p) stands as a
Gaussian message CN(m_p, v_p), as in expectation propagation (Minka, UAI 2001) and orthogonal approximate message
passing (Ma and Ping, IEEE Access 5, 2017). In turn:

1. what y and the messages of all others say of s_p: an observation r_p = s_p + noise of variance t_p (`cavity`);
2. the prior's own opinion of it, by the denoiser: the mean D(r_p) of s_p given r_p;
3. what of that is new: m_p = xi (D(r_p) - a * r_p) and v_p = E|s_p - m_p|^2 (`new_messages`).

a is the slope of D at each frequency, for which m_p is uncorrelated with the noise of r_p, whatever the denoiser is
(Stein's lemma); so y may be used again to fit the scene: y ~ CN(V m, V diag(v) V^H + s2 I). For a Gaussian prior
m_p = 0 and v_p = 1, which is the Gaussian likelihood of a scene; where decisions are firm v_p = 0, and the waveform is
known.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch

FIRMEST = 1e-3  #: of the variance before, that a message has at least: no prior is known better than so
MOST = 0.9  #: of the power of a waveform: a message of so great a variance says nothing that a Gaussian would not
PROBE = 0.05  #: deviation of the step, in those of the noise, by which the slope of a denoiser is measured
BANDS = 12  #: of frequency, in which the slope of a denoiser is told apart
FLAT = 0.3  #: share of differences between bands that are not by chance, below which there are none
ROUNDING = 1e-12  #: least variance of a slope that is measured
SIGNIFICANT = 2.0  #: standard deviations, by which a message must agree with what was received


class Denoiser(Protocol):
    """A prior over waveforms of unit power."""

    def posterior(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance (..., L) of s given x = s + sigma n, n ~ CN(0, 1), for x (..., L) and sigma (...)."""


class GaussianWaveforms:
    """The prior that says nothing: s ~ CN(0, 1), the denoiser of the score of N(0, 1)."""

    def posterior(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of s given x = s + sigma n."""
        power = sigma[..., None].square()
        return x / (1 + power), (power / (1 + power)).expand(x.shape)


@dataclass(frozen=True)
class Messages:
    """Messages of P emitters. mean: (B, P, L). variance: (B, P), 1 where there is none.

    opinion, doubt: (B, P, L), what they are made of: posterior mean of each sample and its variance, as the prior sees
    them, all that is known taken together.
    """

    mean: torch.Tensor
    variance: torch.Tensor
    opinion: torch.Tensor
    doubt: torch.Tensor

    @property
    def silent(self) -> torch.Tensor:
        """Observations (B,) none of whose emitters has a message."""
        return (self.variance == 1).all(1)


def posterior_covariance(
    v: torch.Tensor,  # shape: (..., N, P)
    noise_power: torch.Tensor,  # shape: (...)
    variance: torch.Tensor,  # shape: (..., P), of the messages
) -> torch.Tensor:
    """Covariance (..., P, P) of s given y and the messages: D - D V^H (V D V^H + s2 I)^-1 V D, by P x P algebra."""
    root = variance.sqrt().to(v.dtype)
    w = v * root[..., None, :]
    eye = torch.eye(v.shape[-1], dtype=v.dtype, device=v.device)
    inner = torch.linalg.inv(w.mH @ w / noise_power[..., None, None] + eye)
    return root[..., :, None] * inner * root[..., None, :]


def empty(snapshots: torch.Tensor, n_sources: int) -> Messages:
    """Messages of a Gaussian prior; snapshots: (B, N, L)."""
    b, _, length = snapshots.shape
    mean = snapshots.new_zeros(b, n_sources, length)
    return Messages(mean, mean.real.new_ones(b, n_sources), mean, mean.real + 1)


def cavity(
    snapshots: torch.Tensor,  # shape: (B, N, L)
    v: torch.Tensor,  # shape: (B, N, P)
    noise_power: torch.Tensor,  # shape: (B,)
    messages: Messages,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Step 1: observations r (B, P, L) of every waveform, without its own message, and their variances (B, P)."""
    covariance = posterior_covariance(v, noise_power, messages.variance)
    matched = v.mH @ snapshots / noise_power[:, None, None]
    mean = messages.mean + covariance @ (matched - (v.mH @ v / noise_power[:, None, None]) @ messages.mean)
    own, before = covariance.diagonal(dim1=1, dim2=2).real, messages.variance
    variance = own * before / (before - own).clamp_min(1e-12 * before)
    share = (variance / own)[..., None]
    return messages.mean + share * (mean - messages.mean), variance


def exchange(
    denoiser: Denoiser,
    snapshots: torch.Tensor,  # shape: (B, N, L)
    v: torch.Tensor,  # shape: (B, N, P), responses to waveforms of unit power
    noise_power: torch.Tensor,  # shape: (B,)
    rounds: int = 3,
    messages: Messages | None = None,
) -> Messages:
    """Messages of a scene after some rounds; messages: to start from, by default those of a Gaussian prior."""
    messages = messages or empty(snapshots, v.shape[2])
    for _ in range(rounds):
        messages = new_messages(denoiser, *cavity(snapshots, v, noise_power, messages))
    return messages


def new_messages(
    denoiser: Denoiser,
    r: torch.Tensor,  # shape: (B, P, L)
    before: torch.Tensor,  # shape: (B, P), variance of the noise of r
) -> Messages:
    """Steps 2 and 3; no message where the denoiser says nothing new that agrees with r.

    The slope is measured along one random direction (Hutchinson's estimate), and so is how far to trust it. xi makes m
    the best linear predictor of s, by its correlation with r, of which 95 % limits must leave something.
    """
    length = r.shape[2]
    probe, step = _probe(*r.shape[1:]).to(r), PROBE * before.sqrt()[..., None]
    both = denoiser.posterior(torch.cat([r, r + step * probe]), before.sqrt().repeat(2, 1))
    (mean, moved), own = both[0].chunk(2), both[1].chunk(2)[0]
    along = (moved - mean) / step
    slope = (along * probe.conj()).real.mean(2).clamp(0, 1)
    doubt = ROUNDING + (along - slope[..., None] * probe).abs().square().mean(2) / (2 * length)
    gain, flat = _gain(along, probe, slope, doubt)
    new = mean - torch.fft.ifft(gain * torch.fft.fft(r))
    size, seen = new.abs().square().mean(2).clamp_min(1e-300), (new.conj() * r).real.mean(2)
    power = 1 + before
    chance = size * power / (2 * length) + doubt * power.square()
    risk = SIGNIFICANT**2 * chance / seen.square().clamp_min(1e-300)
    share = torch.where(seen > 0, 1 - risk.square(), 0.0).clamp_min(0)
    factor, exact = _factor(seen / size, chance.sqrt() / size, slope, doubt)
    factor, exact = torch.where(flat, factor, seen / size), exact & flat
    told = (share * factor)[..., None] * new
    variance = _variance(r, before, told, slope, torch.where(exact, doubt, torch.inf))
    return _made(told, torch.maximum(variance, FIRMEST * before), mean, own)


def _gain(
    along: torch.Tensor,  # shape: (B, P, L), of D along the probe
    probe: torch.Tensor,  # shape: (1, P, L)
    slope: torch.Tensor,  # shape: (B, P)
    doubt: torch.Tensor,  # shape: (B, P), variance of the slope
) -> tuple[torch.Tensor, torch.Tensor]:
    """Slope of D at every frequency, (B, P, L), and whether it is the same at all, (B, P).

    A denoiser of narrow signals lets through what lies in their band, noise and other emitters alike: one slope for all
    frequencies would leave that in the message, and the scene would confirm itself. Slopes are smoothed over frequency
    and, as far as they differ by chance, drawn together.
    """
    length = along.shape[2]
    width = max(1, length // BANDS)
    sent, power = (x.to(probe.device) for x in _sent(*probe.shape[1:], width))
    top = _smooth((torch.fft.fft(along) * sent).real, width) / power
    apart = top - slope[..., None]
    chance = 2 * doubt * length / width
    share = (1 - chance / apart.square().mean(2).clamp_min(1e-300)).clamp_min(0)
    return (slope[..., None] + share[..., None] * apart).clamp(0, 1), share < FLAT


def _smooth(x: torch.Tensor, width: int) -> torch.Tensor:
    """Running mean over a circle, (..., L)."""
    return torch.fft.ifft(torch.fft.fft(x) * _kernel(x.shape[-1], width).to(x.device)).real


@lru_cache(maxsize=64)
def _kernel(length: int, width: int) -> torch.Tensor:
    """Spectrum (L,) of a running mean."""
    kernel = torch.zeros(length, dtype=torch.float64)
    kernel[torch.arange(-(width // 2), width - width // 2)] = 1 / width
    return torch.fft.fft(kernel)


def _factor(
    found: torch.Tensor, deviation: torch.Tensor, slope: torch.Tensor, doubt: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """xi (B, P), and whether the denoiser may be exact.

    xi is as found by the correlation with r, to its deviation, or 1 / (1 - a), that of an exact denoiser: averaged by
    their variances, unless they are further apart than these allow. Then it is as found.
    """
    rest = (1 - slope).clamp_min(1e-3)
    exact, own = 1 / rest, doubt / rest.pow(4) + 1e-4
    other = deviation.square() + 1e-300
    both = (found / other + exact / own) / (1 / other + 1 / own)
    agree = (found - exact).square() < SIGNIFICANT**2 * (other + own)
    return torch.where(agree, both, found), agree


def _variance(
    r: torch.Tensor,
    before: torch.Tensor,
    told: torch.Tensor,  # shape: (B, P, L), messages
    slope: torch.Tensor,  # shape: (B, P)
    doubt: torch.Tensor,  # shape: (B, P), variance of the slope, infinite where the denoiser is not exact
) -> torch.Tensor:
    """Variance (B, P) of what messages leave of waveforms: three estimates of it, weighted by their own variances.

    What is left of r beside the noise; what is left of a power of one; and what the slope of an exact denoiser says,
    a t / (1 - a). It is not below the first by more than that may err, since a denoiser may be wrong.
    """
    length, rest = r.shape[2], (1 - slope).clamp_min(1e-3)
    size, left = told.abs().square().mean(2), (r - told).abs().square().mean(2)
    exact = slope * before / rest
    first, deviation = left - before, left / math.sqrt(length)
    parts = [
        (first, deviation.square()),
        (1 - size, (2 * size * (1 + before) / length).clamp_min(1e-6)),
        (exact, (doubt * (before / rest.square()).square()).clamp_min((0.05 * exact).square() + 1e-12)),
    ]
    values, own = (torch.stack(x) for x in zip(*parts, strict=True))
    total = (values / own).sum(0) / (1 / own).sum(0)
    return torch.maximum(total, first - SIGNIFICANT * deviation)


def _made(told: torch.Tensor, variance: torch.Tensor, opinion: torch.Tensor, doubt: torch.Tensor) -> Messages:
    """Messages, where they say anything that is a number."""
    size = told.abs().sum(2) + opinion.abs().sum(2) + doubt.sum(2)
    silent = ~(torch.isfinite(size) & (variance < MOST))
    none = silent[..., None]
    held = torch.where(none, 0, told), torch.where(silent, 1.0, variance)
    return Messages(*held, torch.where(none, 0, opinion), torch.where(none, 1.0, doubt))


@lru_cache(maxsize=64)
def _probe(n_sources: int, length: int) -> torch.Tensor:
    """Numbers of modulus one and random phase, (1, P, L), the same for every observation."""
    angle = torch.rand(n_sources, length, generator=torch.Generator().manual_seed(length), dtype=torch.float64)
    return torch.polar(torch.ones_like(angle), 2 * torch.pi * angle)[None]


@lru_cache(maxsize=64)
def _sent(n_sources: int, length: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Conjugate spectrum of the probe and its power, smoothed over frequency, (1, P, L) each."""
    sent = torch.fft.fft(_probe(n_sources, length))
    return sent.conj().resolve_conj(), _smooth(sent.abs().square(), width)


def extrinsic(
    r: torch.Tensor,  # shape: (B, P, L)
    before: torch.Tensor,  # shape: (B, P), variance of r
    mean: torch.Tensor,  # shape: (B, P, L), of s given r
    variance: torch.Tensor,  # shape: (B, P, L)
) -> Messages:
    """Step 3 for exact moments of s given r: 1 / v = 1 / c - 1 / t and m = v (d / c - r / t), c the mean variance."""
    after = torch.maximum(variance.mean(2), FIRMEST * before / (1 + before))
    new = 1 / (1 / after - 1 / before).clamp_min(1.0)
    told = new[..., None] * (mean / after[..., None] - r / before[..., None])
    return _made(told, new, mean, variance)
