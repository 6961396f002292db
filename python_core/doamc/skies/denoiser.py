"""The prior over skies as a denoiser: mean and variance of an image of peak about 1 in white noise of any level."""

import math
from pathlib import Path

import torch

from doamc.diffusion.denoiser import Level
from doamc.errors import ImagingError
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.skies.net import SIGMA, SkyNet, SkyNetConfig, parts

KIND = "sky"
LEAST_SIDE = 16  #: pixels along a side
TOGETHER = 1 << 20  #: pixels in a pass, which bounds memory


class SkyDenoiser:
    """x_t (B, H W) -> mean of x_0 given x_t, for flat real images of H x W pixels; a denoiser of `diffusion`.

    Every item is worked on for itself. Outside of the levels that the network was trained at it goes over to x_t,
    where there is less noise, and to 0, where there is more.
    """

    def __init__(self, net: SkyNet, shape: tuple[int, int]) -> None:
        """shape: (H, W). Raises ImagingError where a side is shorter than `LEAST_SIDE`."""
        if min(shape) < LEAST_SIDE:
            raise ImagingError(f"expected an image of {LEAST_SIDE} pixels a side at least, found {shape}")
        self.net, self.shape = net, shape

    @classmethod
    def open(cls, shape: tuple[int, int], weights: str | Path | None = None) -> "SkyDenoiser":
        """With weights from a checkpoint, by default the shipped ones. Raises CheckpointError, ImagingError."""
        kept = load_checkpoint(weights or find_weights(KIND), KIND)
        return cls(kept.network(lambda config: SkyNet(SkyNetConfig(**config))), shape)

    @property
    def trained(self) -> tuple[float, float]:
        """Log-SNRs that the network knows."""
        return -2 * math.log(SIGMA[1]), -2 * math.log(SIGMA[0])

    def __call__(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
        """Mean of x_0 given x_t = alpha x_0 + sigma n, (B, H W)."""
        return self.posterior(x_t, alpha, sigma)[0]

    def posterior(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean of x_0 and its variance pixel by pixel, (B, H W) each; alpha and sigma: numbers, or (B, 1)."""
        level = torch.as_tensor(sigma / alpha, dtype=x_t.dtype, device=x_t.device).expand(len(x_t), 1)
        z = x_t / alpha
        trained = level.clamp(*SIGMA)
        z_seen = z * (trained / level).clamp_max(1)  # more noise than in training is shown as the most there was
        count = max(1, TOGETHER // z.shape[1])
        found = [
            self.net(rows.unflatten(1, self.shape).float(), at[:, 0].float())
            for rows, at in zip(z_seen.split(count), trained.split(count), strict=True)
        ]
        f, log_variance = (torch.cat(v).flatten(1).to(z.dtype) for v in zip(*found, strict=True))
        skip, scale = parts(level)
        return skip * z + scale * f, scale.square() * log_variance.exp()
