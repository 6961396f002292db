"""Replacement and projection: the components of x_0 that H sees are taken from y, or moved towards it."""

import torch

from doamc.diffusion.guidance.base import Guidance, WhitePrior, conditional_variance


class Replacement(Guidance):
    """D + H^+ (y - H D): the range-null decomposition of DDNM, [Wang] eq. (12).

    Made for noise-free y: it copies the noise of y, amplified by 1/s, into x_0.
    """

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        x_0 = self.denoiser(x_t, alpha, sigma)
        return x_0 + self.operator.from_spectral(self.residual(x_0) / self.operator.s)


class Projection(WhitePrior):
    """D + r_t^2 H^H (r_t^2 H H^H + sigma_y^2 I)^-1 (y - H D): each singular direction by its own posterior weight.

    `Pigdm` with the identity (times alpha r_t^2 / sigma^2) for the Jacobian; needs no derivatives, knows the noise
    of y.
    """

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        x_0 = self.denoiser(x_t, alpha, sigma)
        r = conditional_variance(alpha, sigma, self.power)
        return x_0 + self.pull(self.residual(x_0) * (r / (r * self.operator.s**2 + self.noise_power)))
