"""Guided DDIM, [Luo-Fung] eqs. (30)-(33): samples of the clean snapshots x0 given the received ones y.

A guided denoiser is again a denoiser: it returns the mean of x0 given x_t *and* y, and the sampler does not know
which guidance made it. x_t = alpha x0 + sigma eps with circular complex eps throughout.
"""

from dataclasses import dataclass

import torch

from doamc.denoising.wiener import SignalCovariance
from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import sample
from doamc.diffusion.samplers.ddim import Ddim


@dataclass(frozen=True)
class GaussianGuided:
    """Exact guidance for x0 ~ CN(0, R_x0) and y = x0 + n: both observations of x0 weigh in by their precision.

    x_t / alpha has noise (sigma / alpha)^2 and y has noise s2; together they are one observation z with noise
    v = 1 / (alpha^2 / sigma^2 + 1 / s2), and x0 = R_x0 (R_x0 + v)^-1 z. Written in the eigenbasis of R_x0, where the
    filter is a product; the posterior weight of eq. (31)'s step is its matrix form.
    """

    signal: SignalCovariance
    y: torch.Tensor  # (B, N, L), in the eigenbasis: U^H y
    noise_power: torch.Tensor  # (B,)

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Mean of x0 given x_t and y, in the eigenbasis."""
        precision = 1 / self.noise_power[:, None, None]
        v = 1 / ((alpha / sigma) ** 2 + precision)
        r = self.signal.values[..., None]
        gain = r / (r + v) * v
        return gain * (alpha / sigma**2) * x_t + gain * precision * self.y


def sample_clean(denoiser: Denoiser, shape: tuple[int, int, int], grid: Grid, seed: int = 0) -> torch.Tensor:
    """Draw x0 (B, N, L) by deterministic DDIM (eq. 33) from x_T ~ CN(0, I).

    Every item of the batch starts from the same noise, so that its result does not depend on the rest of the batch.
    """
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(1, *shape[1:], dtype=torch.complex128, generator=generator)
    return sample(denoiser, Ddim(), grid, start=start.expand(shape), end="mean")
