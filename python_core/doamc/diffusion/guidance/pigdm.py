"""PiGDM, pseudo-inverse guidance: p(y | x_t) with covariance r_t^2 H H^H + sigma_y^2 I: [Song-Vahdat]."""

import torch

from doamc.diffusion.guidance.base import WhitePrior, conditional_variance, jacobian_product, with_graph


class Pigdm(WhitePrior):
    """D + sigma^2 / alpha J^H H^H (r_t^2 H H^H + sigma_y^2 I)^-1 (y - H D).

    r_t^2 I stands for the covariance of x_0 given x_t: right for white x_0 of this power, and then exact.
    """

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0; costs one product with the Jacobian."""
        leaf, x_0 = with_graph(self.denoiser, x_t, alpha, sigma)
        r = conditional_variance(alpha, sigma, self.power)
        weighted = self.residual(x_0.detach()) / (r * self.operator.s**2 + self.noise_power)
        gradient = jacobian_product(x_0, leaf, self.pull(weighted))
        return torch.add(x_0.detach(), gradient, alpha=sigma**2 / alpha)
