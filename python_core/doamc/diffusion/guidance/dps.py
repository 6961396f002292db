"""DPS: p(y | x_t) taken as p(y | x_0 = D(x_t)), with the full Jacobian of D. Chung et al. 2023 (arXiv:2209.14687)."""

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.guidance.base import Guidance, jacobian_product, with_graph
from doamc.diffusion.linear_operator import LinearOperator


class Dps(Guidance):
    """D + zeta sigma^2 / alpha J^H H^H (y - H D) / v, with v = max(sigma_y^2, |y - H D|^2 / R) item by item.

    With v = sigma_y^2 (normalise=False) this is the gradient that DPS derives; its steps are stable only for short
    steps, since it takes D for exact. The published step divides by |y - H D|, which in the released code is a norm
    over the whole batch: the guidance of an item then depends on the others. Here each item has its own residual
    power, which is the gradient of the likelihood with its variance unknown.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: LinearOperator,
        y: torch.Tensor,
        noise_power: float,
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
        scale = self.zeta * sigma**2 / alpha
        if not self.normalise:
            return torch.add(x_0.detach(), gradient, alpha=scale / self.noise_power)
        power = rest.abs().square().mean(-1, keepdim=True).clamp_min(self.noise_power)
        return torch.add(x_0.detach(), gradient / power, alpha=scale)
