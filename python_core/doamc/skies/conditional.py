"""x_0 given x_t and y = H x_0 + n: what the denoiser knows and what visibilities do, put together.

The denoiser gives x_0 given x_t as N(D, C), C = V^(1/2) K V^(1/2), V its variances pixel by pixel and K the colour of
its errors. With y:

    E[x_0 | x_t, y] = D + C H^T (H C H^T + sigma_y^2 I)^-1 (y - H D)

It is solved in u of x_0 = D + L u, L = V^(1/2) K^(1/2), u ~ N(0, I), by conjugate gradients:

    (I + L^T H^T H L / sigma_y^2) u = L^T H^T (y - H D) / sigma_y^2

A draw is the same solution for D + L n and y + sigma_y n': exact for this Gaussian. No matrix is ever made.
"""

import torch

from doamc.diffusion.linear_operator import Operator
from doamc.skies.colour import ErrorColour

ITERATIONS = 8  #: of conjugate gradients


class Conditional:
    """x_0 given its law given x_t, and y."""

    def __init__(
        self,
        operator: Operator,  # of real states
        y: torch.Tensor,  # shape: (B, R)
        noise_power: torch.Tensor,  # shape: (B, 1)
        colour: ErrorColour,
        iterations: int = ITERATIONS,
    ) -> None:
        self.operator, self.noise_power, self.colour, self.iterations = operator, noise_power, colour, iterations
        self.seen = self._pulled(operator.observed(y))  # H^T y

    def _pulled(self, z: torch.Tensor) -> torch.Tensor:
        return self.operator.from_spectral(self.operator.s * z)

    def _through(self, x: torch.Tensor) -> torch.Tensor:
        """H^T H x."""
        return self.operator.from_spectral(self.operator.s**2 * self.operator.spectral(x))

    def mean_and_draw(
        self, mean: torch.Tensor, variance: torch.Tensor, noise: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """E[x_0 | x_t, y] and a draw of x_0 given both, (B, N) each.

        mean, variance: of x_0 given x_t, (B, N). noise: two standard normal (B, N).
        """
        root = variance.sqrt()
        drawn = mean + root * self.colour.half(noise[0])
        other = self._pulled(self.operator.spectral(noise[1]))  # H^T n, n white
        seen = torch.cat([self.seen, self.seen + self.noise_power.sqrt() * other])
        found = self._solved(torch.cat([mean, drawn]), root.repeat(2, 1), seen, self.noise_power.repeat(2, 1))
        return found.chunk(2)[0], found.chunk(2)[1]

    def _solved(
        self, start: torch.Tensor, root: torch.Tensor, seen: torch.Tensor, noise_power: torch.Tensor
    ) -> torch.Tensor:
        half = self.colour.half
        residual = half(root * (seen - self._through(start))) / noise_power
        u, direction = torch.zeros_like(residual), residual
        power = residual.square().sum(1, keepdim=True)
        for _ in range(self.iterations):
            image = direction + half(root * self._through(root * half(direction))) / noise_power
            step = power / (direction * image).sum(1, keepdim=True).clamp_min(1e-30)
            u = torch.addcmul(u, step, direction)
            residual = torch.addcmul(residual, step, image, value=-1)
            last, power = power, residual.square().sum(1, keepdim=True)
            direction = torch.addcmul(residual, power / last.clamp_min(1e-30), direction)
        return start + root * half(u)
