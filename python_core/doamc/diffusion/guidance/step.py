"""The guidance of [Luo-Fung], eq. (31): a step from x_0_hat up the likelihood, with the identity for a Jacobian."""

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.guidance.base import Guidance, conditional_variance
from doamc.diffusion.linear_operator import LinearOperator


class Step(Guidance):
    """x_0_hat + eta / sigma_y^2 H^H (y - H x_0_hat).

    eta None takes the posterior weight, eta / sigma_y^2 = r_t^2 / (r_t^2 s_1^2 + sigma_y^2), r_t^2 the variance of x_0
    given x_t for white x_0 of this power: the step that is right for H = I and never overshoots for any H. A constant
    eta is theirs: near sigma_y^2 it copies y, near 0 it ignores y, above 2 sigma_y^2 / s_1^2 it diverges.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: LinearOperator,
        y: torch.Tensor,
        noise_power: float,
        eta: float | None = None,
        power: float = 1.0,
    ) -> None:
        super().__init__(denoiser, operator, y, noise_power)
        self.eta, self.power, self.gain = eta, power, float(operator.s[0]) ** 2

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        x_0 = self.denoiser(x_t, alpha, sigma)
        if self.eta is None:
            r = conditional_variance(alpha, sigma, self.power)
            weight = r / (r * self.gain + self.noise_power)
        else:
            weight = self.eta / self.noise_power
        return torch.add(x_0, self.pull(self.residual(x_0)), alpha=weight)


class Likelihood(Guidance):
    """[Luo-Fung] eqs. (13)-(16): grad log p(y | x_t) = gamma / (alpha sigma_y^2) H^H (y - H x_0_hat), Jacobian I.

    In the reverse SDE this is the drift lambda(t) sigma_y^-2 H^H (y - H x_0_hat) with lambda(t) = gamma g^2 /
    alpha, eq. (15); as a denoiser, a step of weight gamma sigma^2 / (alpha sigma_y)^2. At high noise that weight is
    far above 1, where the identity is no Jacobian of anything: gamma wants careful tuning, as they say, and
    `limit` caps weight times s_1^2.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: LinearOperator,
        y: torch.Tensor,
        noise_power: float,
        gamma: float = 1.0,
        limit: float = 1.0,
    ) -> None:
        super().__init__(denoiser, operator, y, noise_power)
        self.gamma, self.cap = gamma, limit / float(operator.s[0]) ** 2

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        x_0 = self.denoiser(x_t, alpha, sigma)
        weight = min(self.cap, self.gamma * (sigma / alpha) ** 2 / self.noise_power)
        return torch.add(x_0, self.pull(self.residual(x_0)), alpha=weight)
