"""Guided diffusion over waveforms: samples of s (P, L) given y = V s + n, by the engine's loop.

The state is s_t = alpha s + sigma eps; emitters are independent beforehand, and meet in the likelihood alone, which is
exact: P x P algebra. s_t / alpha is a second observation of every waveform, of noise (sigma / alpha)^2. Guidance:

exchange   y and s_t / alpha together are one observation [y; s_t / alpha] = [V; I] s + noise, and the mean of s given
           both is that of `messages.exchange`: exact for one emitter, or where responses are orthogonal.
moments    the law of s given s_t as Gaussian with its true mean and variance, and y folded in exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from doamc.denoising.messages import Denoiser, Messages, cavity, empty, extrinsic, posterior_covariance
from doamc.diffusion.grid import Grid, log_snr_grid
from doamc.diffusion.samplers import ItemNoise, make_sampler, sample
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.schedule import VPSchedule
from doamc.errors import SamplerError

#: from noise that hides a waveform of unit power to noise 35 dB below it, which is what the network was trained on
LOG_SNR = (-3.5, 8.0)


@dataclass(frozen=True)
class Observed:
    """What guidance knows: snapshots y (B, N, L), responses v (B, N, P), noise power (B,)."""

    y: torch.Tensor
    v: torch.Tensor
    noise_power: torch.Tensor

    def repeated(self, count: int) -> "Observed":
        """Every observation count times in a row."""
        return Observed(*(x.repeat_interleave(count, 0) for x in (self.y, self.v, self.noise_power)))


def by_exchange(denoiser: Denoiser, seen: Observed, s_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
    """Mean of s given s_t and y, (B, P, L), by two rounds of messages on both observations."""
    b, p, _ = s_t.shape
    root, level = seen.noise_power.sqrt()[:, None, None], sigma / alpha
    eye = torch.eye(p, dtype=s_t.dtype, device=s_t.device).expand(b, p, p)
    y = torch.cat([seen.y / root, s_t / sigma], 1)
    v = torch.cat([seen.v / root, eye / level], 1)
    one, mean = torch.ones_like(seen.noise_power), s_t
    messages = empty(y, p)
    for _ in range(2):
        r, before = cavity(y, v, one, messages)
        mean, variance = denoiser.posterior(r, before.sqrt())
        messages = extrinsic(r, before, mean, variance)
    return mean


def by_moments(denoiser: Denoiser, seen: Observed, s_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
    """Mean of s given s_t and y, (B, P, L), where s given s_t is Gaussian."""
    level = torch.full(s_t.shape[:2], sigma / alpha, dtype=torch.float64, device=s_t.device)
    mean, variance = denoiser.posterior(s_t / alpha, level)
    covariance = posterior_covariance(seen.v, seen.noise_power, variance.mean(2))
    pull = seen.v.mH @ (seen.y - seen.v @ mean) / seen.noise_power[:, None, None]
    return mean + covariance @ pull


GUIDANCES: dict[str, Callable[[Denoiser, Observed, torch.Tensor, float, float], torch.Tensor]] = {
    "exchange": by_exchange,
    "moments": by_moments,
}


class _SharedNoise:
    """The same noise for every observation of a batch, so that none depends on the others; (B M, P, L)."""

    def __init__(self, batch: int, samples: int, shape: tuple[int, int], seed: int, device: torch.device) -> None:
        self._noise = ItemNoise([seed + i for i in range(samples)], shape, device=device)
        self._batch = batch

    def draw(self) -> torch.Tensor:
        return self._noise.draw().repeat(self._batch, 1, 1)


class WaveformSampler:
    """Draws waveforms by a sampler of the engine; guidance: one of `GUIDANCES`, eta: of sampler ddim alone.

    Raises SamplerError where there is no such sampler or guidance.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        steps: int = 12,
        samples: int = 4,
        sampler: str = "ddim",
        guidance: str = "exchange",
        eta: float = 0.0,
        seed: int = 0,
    ) -> None:
        if guidance not in GUIDANCES:
            raise SamplerError(f"guidance must be one of {', '.join(GUIDANCES)}, found {guidance!r}")
        self.denoiser, self.samples, self.seed = denoiser, samples, seed
        self._guide = GUIDANCES[guidance]
        self._sampler: Sampler = make_sampler(sampler, **({"eta": eta} if sampler == "ddim" else {}))
        self._grid: Grid = log_snr_grid(VPSchedule(), steps, *LOG_SNR)

    def __call__(self, seen: Observed) -> torch.Tensor:
        """Samples (B, M, P, L) of the waveforms of observations."""
        b, m = len(seen.y), self.samples
        shape = seen.v.shape[2], seen.y.shape[2]
        every = seen.repeated(m)

        def guided(s_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
            return self._guide(self.denoiser, every, s_t, alpha, sigma)

        noise = _SharedNoise(b, m, shape, self.seed, seen.y.device)
        return sample(guided, self._sampler, self._grid, noise).unflatten(0, (b, m))

    def messages(self, seen: Observed, before: Messages) -> Messages:
        """Messages of mean and variance of the samples; before: those of the last round."""
        drawn = self(seen)
        mean = drawn.mean(1)
        spread = (drawn - mean[:, None]).abs().square().sum(1) / max(1, self.samples - 1)
        variance = spread.mean(2, keepdim=True) * (1 + 1 / self.samples)  # the mean of a few samples errs, too
        r, own = cavity(seen.y, seen.v, seen.noise_power, before)
        return extrinsic(r, own, mean, variance.expand(mean.shape))
