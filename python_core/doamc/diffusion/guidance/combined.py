"""Combined observations: what y says as x_t does goes into the denoiser itself, and needs no Jacobian."""

import math
from collections.abc import Callable
from typing import cast

import torch

from doamc.diffusion.guidance.base import WhitePrior


class Combined(WhitePrior):
    """x_t / alpha and y as one observation of x_0.

    With w = H^+ y and the precisions a = alpha^2 / sigma^2 and b:

        x_0_hat = D at z = (a x_t / alpha + b w) / (a + b), of noise 1 / (a + b)
        x_0_hat + r H^H (...)^-1 (y - H x_0_hat) as in `Projection`, for what y knows beyond b

    b = s_N^2 / sigma_y^2 is the precision that y has in every direction, 0 where H has not full rank: the guidance is
    then `Projection`. For H = I nothing is left over, and it is exact for any prior at all: the network does what it
    was trained to do.
    """

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        s = self.operator.s
        own = (alpha / sigma) ** 2
        if self.operator.columns > self.operator.rank:
            x_0, white = self.denoiser(x_t, alpha, sigma), 0.0 * s[-1]
            precision = torch.full_like(s[-1:], own)
        else:
            white = s[-1] ** 2 / self.noise_power
            precision = (own + white).reshape(-1, 1)
            z = ((own / alpha) * x_t + white * self.operator.from_spectral(self.z / s)) / precision
            level = 1 / precision
            if self.trained is not None:
                level = level.clamp_min(math.exp(-self.trained[1]))
            scale = (1 + level).rsqrt()
            prior = cast(Callable[..., torch.Tensor], self.denoiser)  # called with a level an item
            x_0 = prior(scale * z, scale, scale * level.sqrt())
        r = 1 / (1 / self.power + precision)
        rest = s**2 / self.noise_power - white  # precision of y beyond b, along each singular direction
        weight = r * rest / (r * rest + 1)
        return x_0 + self.operator.from_spectral(weight / s * self.residual(x_0))
