"""What a prior over waveforms says of every emitter, as a Gaussian message that has forgotten the batch's own noise.

y = V s + n, n ~ CN(0, s2 I), and emitters are independent: p(s) = prod_p p(s_p). Each factor p(s_p) stands as a Gaussian
message CN(m_p, v_p) (expectation propagation: Minka 2001; Ma and Ping, Orthogonal AMP, IEEE Access 2017). In turn:

1. what y and the messages of all others say of s_p: an observation r_p = s_p + noise of variance t_p;
2. the prior's own opinion of it, by the denoiser: mean d_p and variance c_p of s_p given r_p;
3. what of that is new: 1 / v_p = 1 / c_p - 1 / t_p and m_p = v_p (d_p / c_p - r_p / t_p).

For an exact denoiser m_p is uncorrelated with the noise of r_p and with the error s_p - m_p, so y may be used again to
fit the scene: y ~ CN(V m, V diag(v) V^H + s2 I). For a Gaussian prior m_p = 0 and v_p = 1, which is the Gaussian
likelihood of a scene; where decisions are firm v_p = 0, and the waveform is known.
"""

from dataclasses import dataclass
from typing import Protocol

import torch

FIRMEST = 1e-4  #: of the variance before, that a denoiser leaves at least: no prior is known better than so
LEAST_GAIN = 0.02  #: of the power of a waveform: a message that knows less says nothing that a Gaussian would not


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

    shape: (B, P, L), posterior variance of each sample over its mean, as the prior sees it.
    """

    mean: torch.Tensor
    variance: torch.Tensor
    shape: torch.Tensor

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
    return Messages(mean, mean.real.new_ones(b, n_sources), mean.real + 1)


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
        r, variance = cavity(snapshots, v, noise_power, messages)
        messages = extrinsic(r, variance, *denoiser.posterior(r, variance.sqrt()))
    return messages


def extrinsic(
    r: torch.Tensor,  # shape: (B, P, L)
    before: torch.Tensor,  # shape: (B, P), variance of r
    mean: torch.Tensor,  # shape: (B, P, L), of s given r
    variance: torch.Tensor,  # shape: (B, P, L)
) -> Messages:
    """Step 3: what the prior adds to r; no message where it knows no more than a Gaussian of unit power."""
    average = variance.mean(2)
    after = torch.maximum(average, FIRMEST * before / (1 + before))
    precision = 1 / after - 1 / before
    silent = precision * (1 - LEAST_GAIN) <= 1
    new = torch.where(silent, 1.0, 1 / torch.where(silent, 1.0, precision))
    told = new[..., None] * (mean / after[..., None] - r / before[..., None])
    shape = variance / average.clamp_min(1e-300)[..., None]
    return Messages(torch.where(silent[..., None], 0, told), new, torch.where(silent[..., None], 1.0, shape))
