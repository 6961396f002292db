"""What guidance is: a denoiser made of a denoiser and an observation y = H x_0 + n. Every sampler takes it as it is.

    D(x_t | y) = D(x_t) + sigma^2 / alpha  grad log p(y | x_t)

for any approximation of the gradient. States are (B, N); y is (M,) for all items or (B, M) for each its own.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import TypeVar

import torch

from doamc.diffusion.denoiser import Denoiser, Level
from doamc.diffusion.linear_operator import Operator, stacked
from doamc.errors import SamplerError

Self = TypeVar("Self", bound="Guidance")


class Guidance(ABC):
    """A guided denoiser. It works on z = U^H y = diag(s) V^H x_0 + white noise: the rest of y is noise alone."""

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: torch.Tensor,  # shape: (M,) or (B, M)
        noise_power: float | torch.Tensor,  # sigma_y^2 per entry of y, or (B,), one an item; complex noise is circular
    ) -> None:
        """Raises SamplerError where y does not fit H or a noise power is not positive."""
        if y.shape[-1] != operator.rows:
            raise SamplerError(f"H has {operator.rows} rows, found y with {y.shape[-1]} entries")
        least = float(noise_power.min()) if isinstance(noise_power, torch.Tensor) else noise_power
        if not least > 0:
            raise SamplerError(f"the noise power of y must be positive, found {least}")
        self.denoiser, self.y, self.least_noise = denoiser, y, least
        self._observe(operator, y, noise_power[:, None] if isinstance(noise_power, torch.Tensor) else noise_power)

    def _observe(self, operator: Operator, y: torch.Tensor, noise_power: Level) -> None:
        self.operator, self.noise_power, self.z = operator, noise_power, operator.observed(y)
        self.gain = float(operator.s[0]) ** 2  # s_1^2

    @property
    def trained(self) -> tuple[float, float] | None:
        """Log-SNRs that the denoiser's network knows, where it is one."""
        return getattr(self.denoiser, "trained", None)

    def of_real_states(self: Self) -> Self:
        """The same guidance for real x_0: a complex y is then two real observations, each with half of the noise."""
        real = self.operator.of_real_states()
        if real is self.operator:
            return self
        other = copy(self)
        other._observe(real, stacked(self.y), 0.5 * self.noise_power)
        return other

    @abstractmethod
    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Mean of x_0 given x_t and y, as this guidance has it, (B, N)."""

    def residual(self, x_0: torch.Tensor) -> torch.Tensor:
        """z - diag(s) V^H x_0, (B, R). Raises SamplerError where x_0 is real and H complex: see `of_real_states`."""
        if self.z.is_complex() and not x_0.is_complex():
            raise SamplerError("expected complex states for a complex H, found real ones; use .of_real_states()")
        return self.z - self.operator.s * self.operator.spectral(x_0)

    def pull(self, weighted: torch.Tensor) -> torch.Tensor:
        """H^H U w = V diag(s) w for residuals w (B, R)."""
        return self.operator.from_spectral(self.operator.s * weighted)


class WhitePrior(Guidance):
    """Guidance that takes x_0 for white, of a power that is given, where it needs a covariance of x_0 given x_t."""

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: torch.Tensor,
        noise_power: float | torch.Tensor,
        power: float = 1.0,
    ) -> None:
        super().__init__(denoiser, operator, y, noise_power)
        self.power = power


def at_most(weight: Level, limit: float) -> Level:
    """The lesser of both, item by item."""
    return weight.clamp_max(limit) if isinstance(weight, torch.Tensor) else min(weight, limit)


def conditional_variance(alpha: float, sigma: float, power: float) -> float:
    """r_t^2 = 1 / (1/power + alpha^2 / sigma^2): the variance of x_0 given x_t for x_0 white with this power."""
    return 1 / (1 / power + (alpha / sigma) ** 2)


def with_graph(denoiser: Denoiser, x_t: torch.Tensor, alpha: float, sigma: float) -> tuple[torch.Tensor, torch.Tensor]:
    """x_t as a leaf and D(x_t) on its graph, for products with the Jacobian."""
    with torch.enable_grad():
        leaf = x_t.detach().requires_grad_()
        return leaf, denoiser(leaf, alpha, sigma)


def jacobian_product(
    x_0: torch.Tensor,  # on the graph of leaf
    leaf: torch.Tensor,
    cotangent: torch.Tensor,  # shaped like x_0
    keep: bool = False,
) -> torch.Tensor:
    """J^H c item by item, J = d x_0 / d x_t.

    For complex tensors torch returns the product with the transposed Jacobian of the stacked real and imaginary
    parts, written as a complex number again, whether or not D is holomorphic: nothing is lost by the cast.
    """
    return torch.autograd.grad(x_0, leaf, cotangent, retain_graph=keep)[0]
