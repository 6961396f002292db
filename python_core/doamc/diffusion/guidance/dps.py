"""DPS: p(y | x_t) taken as p(y | x_0 = D(x_t)), with the full Jacobian of D: [Chung]."""

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.guidance.base import Guidance, jacobian_product, with_graph
from doamc.diffusion.linear_operator import Operator


class Dps(Guidance):
    """D + zeta w g with g = J^H H^H (y - H D).

    normalise=False is the gradient that DPS derives, w = sigma^2 / (alpha sigma_y^2): it takes D for exact, so at high
    noise it overshoots by orders of magnitude. The published remedy divides by |y - H D|, in the released code a norm
    over the whole batch, so that the guidance of an item depends on the others. Here w is, item by item, no longer than
    the step along g that fits y best, <H g, y - H D> / |H g|^2.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: torch.Tensor,
        noise_power: float | torch.Tensor,
        zeta: float = 1.0,
        normalise: bool = True,
    ) -> None:
        super().__init__(denoiser, operator, y, noise_power)
        self.zeta, self.normalise = zeta, normalise

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0; costs one product with the Jacobian."""
        leaf, x_0 = with_graph(self.denoiser, x_t, alpha, sigma)
        rest = self.residual(x_0.detach())
        gradient = jacobian_product(x_0, leaf, self.pull(rest))
        weight = self.zeta * sigma**2 / (alpha * self.noise_power)
        if not self.normalise:
            return x_0.detach() + weight * gradient
        effect = self.operator.s * self.operator.spectral(gradient)
        size = effect.abs().square().sum(-1, keepdim=True).clamp_min(torch.finfo(rest.abs().dtype).tiny)
        best = (effect.conj() * rest).real.sum(-1, keepdim=True) / size
        return x_0.detach() + torch.clamp(best * self.zeta, max=weight) * gradient
