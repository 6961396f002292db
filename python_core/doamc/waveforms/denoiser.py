"""The prior over waveforms as a denoiser: posterior mean and variance of unit-power waveforms in white noise."""

from functools import cached_property
from pathlib import Path

import torch

from doamc.errors import EstimatorError
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.waveforms.compiled_net import CompiledNet, compiled_net
from doamc.waveforms.net import WINDOW, WaveformNet, WaveformNetConfig

KIND = "waveform"
SIGMA = (10 ** (-35 / 20), 10 ** (15 / 20))  #: range of levels of noise in training
LARGEST = 30.0  #: samples in units of their mean level that the network is shown
TOGETHER = 64  #: windows in a pass, which bounds memory


class WaveformDenoiser:
    """Mean and variance of s given x = s + sigma n, n ~ CN(0, 1) in each sample, s of unit power and of any kind.

    Every item is worked on for itself. Outside of the trained range of sigma it goes over to x, where there is less
    noise, and to the Wiener filter of white waveforms, where there is more.
    """

    def __init__(self, net: WaveformNet) -> None:
        self.net = net

    @classmethod
    def open(cls, weights: str | Path | None = None) -> "WaveformDenoiser":
        """With weights from a checkpoint, by default the shipped ones. Raises CheckpointError."""
        kept = load_checkpoint(weights or find_weights(KIND), KIND)
        return cls(kept.network(lambda config: WaveformNet(WaveformNetConfig(**config))))

    @cached_property
    def _compiled(self) -> CompiledNet | None:
        return compiled_net(self.net)

    def denoise(
        self,
        x: torch.Tensor,  # shape: (..., L) complex
        sigma: torch.Tensor | float,  # shape: broadcastable to (...), > 0
    ) -> torch.Tensor:
        """Posterior mean of s, (..., L), in the precision of x."""
        return self.posterior(x, sigma)[0]

    def posterior(self, x: torch.Tensor, sigma: torch.Tensor | float) -> tuple[torch.Tensor, torch.Tensor]:
        """Posterior mean of s, complex, and its variance E|s - mean|^2, real, (..., L) each; arguments as above.

        Raises EstimatorError when x is not complex, has no samples, or sigma is not above 0.
        """
        level = torch.as_tensor(sigma, dtype=x.real.dtype, device=x.device)
        if not x.is_complex() or not x.numel() or not bool((level > 0).all()):
            raise EstimatorError(
                f"expected complex samples (..., L) and sigma > 0, found {tuple(x.shape)} of {x.dtype} and "
                f"sigma from {float(level.min()) if level.numel() else 'none'}"
            )
        length, level = x.shape[-1], level.expand(x.shape[:-1]).reshape(-1, 1)
        flat = x.reshape(-1, length)
        if length <= WINDOW:
            mean, variance = self._rows(flat, level)
        else:
            mean, variance = self._overlapping(flat, level)
        return mean.reshape(x.shape), variance.reshape(x.shape)

    def _overlapping(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Windows that overlap by half or more, faded into each other."""
        length, hop = x.shape[1], WINDOW // 2
        starts = [*range(0, length - WINDOW, hop), length - WINDOW]
        fade = 0.02 + torch.hann_window(WINDOW, periodic=False, dtype=sigma.dtype, device=x.device)
        rows = torch.stack([x[:, s : s + WINDOW] for s in starts], 1).flatten(0, 1)
        parts = self._rows(rows, sigma.repeat_interleave(len(starts), 0))
        weight = torch.zeros(length, dtype=sigma.dtype, device=x.device)
        sums = [torch.zeros_like(x), torch.zeros_like(x.real)]
        for i, start in enumerate(starts):
            at = slice(start, start + WINDOW)
            weight[at] += fade
            for total, part in zip(sums, parts, strict=True):
                total[:, at] += fade * part.unflatten(0, (-1, len(starts)))[:, i]
        return sums[0] / weight, sums[1] / weight

    def _rows(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same for rows x (M, L <= WINDOW), sigma (M, 1)."""
        skip, scale = 1 / (1 + sigma.square()), sigma * torch.rsqrt(1 + sigma.square())
        trained = sigma.clamp(*SIGMA)
        # more noise than in training: a waveform that is as weak beside the noise as the weakest there
        shrunk = ((1 + trained.square()) * skip).clamp_max(1)
        most = LARGEST * torch.sqrt(1 + trained.square())
        seen = x * shrunk.sqrt()
        seen = seen * (most / seen.abs().clamp_min(1e-6)).clamp_max(1)  # else its powers overflow
        f, log_variance = [], []
        for rows, level in zip(seen.split(TOGETHER), trained.split(TOGETHER), strict=True):
            found = self._found(rows.to(torch.complex64), level.float())
            f.append(found[0].to(x.dtype))
            log_variance.append(found[1].to(sigma.dtype))
        return skip * x + scale * shrunk * torch.cat(f), scale.square() * torch.cat(log_variance).exp()

    def _found(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network says, by compiled loops where no derivative is asked for."""
        if self._compiled is None or (x.requires_grad and torch.is_grad_enabled()):
            return self.net(x, sigma)
        return self._compiled(x, sigma)
