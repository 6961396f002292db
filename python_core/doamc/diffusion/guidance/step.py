"""The guidance of [Luo-Fung], eq. (31): a step from x_0_hat up the likelihood, with the identity for a Jacobian."""

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.guidance.base import Guidance, at_most, conditional_variance
from doamc.diffusion.linear_operator import Operator
from doamc.errors import SamplerError


class Step(Guidance):
    """x_0_hat + eta / sigma_y^2 H^H (y - H x_0_hat).

    eta None takes the posterior weight, eta / sigma_y^2 = r_t^2 / (r_t^2 s_1^2 + sigma_y^2), r_t^2 the variance of x_0
    given x_t for white x_0 of this power: the step that is right for H = I and never overshoots for any H. A constant
    eta is theirs: near sigma_y^2 it copies y, near 0 it ignores y, and above 2 sigma_y^2 / s_1^2 it would diverge and
    is refused. strength: factor of the posterior weight, in [0, 2]; 0 leaves y out.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: torch.Tensor,
        noise_power: float | torch.Tensor,
        eta: float | None = None,
        power: float = 1.0,
        strength: float = 1.0,
    ) -> None:
        super().__init__(denoiser, operator, y, noise_power)
        most = 2 * self.least_noise / self.gain
        if eta is not None and not 0 <= eta <= most:
            raise SamplerError(f"eta must lie in 0 to 2 sigma_y^2 / s_1^2 = {most:.3g}, beyond which steps diverge, "
                               f"found {eta}")  # fmt: skip
        _check_strength("strength", strength or 1.0)  # 0 leaves y out
        self.eta, self.power, self.strength = eta, power, strength

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        x_0 = self.denoiser(x_t, alpha, sigma)
        if self.eta is None:
            r = conditional_variance(alpha, sigma, self.power)
            weight = self.strength * r / (r * self.gain + self.noise_power)
        else:
            weight = self.eta / self.noise_power
        return x_0 + weight * self.pull(self.residual(x_0))


class Likelihood(Guidance):
    """[Luo-Fung] eqs. (13)-(16): grad log p(y | x_t) = gamma / (alpha sigma_y^2) H^H (y - H x_0_hat), Jacobian I.

    In the reverse SDE this is the drift lambda(t) sigma_y^-2 H^H (y - H x_0_hat) with lambda(t) = gamma g^2 /
    alpha, eq. (15); as a denoiser, a step of weight gamma sigma^2 / (alpha sigma_y)^2. At high noise that weight is
    far above 1, where the identity is no Jacobian of anything and a step would leave all bounds: gamma wants careful
    tuning, as they say, and `limit`, in (0, 2], caps weight times s_1^2. limit=None takes no cap, and in place of one
    long step as much of the way down |y - H x_0|^2 as gradient flow goes in that time, 1 - exp(-w s^2) of it a singular
    direction: the same where steps are short, and bounded where they are not.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: torch.Tensor,
        noise_power: float | torch.Tensor,
        gamma: float = 1.0,
        limit: float | None = 1.0,
    ) -> None:
        super().__init__(denoiser, operator, y, noise_power)
        if limit is not None:
            _check_strength("limit", limit)
        self.gamma, self.limit = gamma, limit

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        x_0 = self.denoiser(x_t, alpha, sigma)
        weight = self.gamma * (sigma / alpha) ** 2 / self.noise_power
        rest = self.residual(x_0)
        if self.limit is not None:
            return x_0 + at_most(weight, self.limit / self.gain) * self.pull(rest)
        s = self.operator.s
        return x_0 + self.operator.from_spectral(-torch.expm1(-weight * s**2) / s * rest)


def _check_strength(name: str, value: float) -> None:
    if not 0 < value <= 2:
        raise SamplerError(f"{name} must lie in (0, 2]: steps of more than 2 / s_1^2 diverge; found {value}")
