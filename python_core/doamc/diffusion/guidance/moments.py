"""Moment matching: x_0 given x_t taken as Gaussian with its true mean and covariance, and y folded in exactly.

    D(x_t | y) = D + V H^H (H V H^H + sigma_y^2 I)^-1 (y - H D),       V = Cov(x_0 | x_t) = sigma^2 / alpha  J

by Tweedie's second formula. Exact for Gaussians: then every sampler that reaches the prior reaches the posterior.
"""

import torch

from doamc.diffusion.guidance.base import Guidance, jacobian_product, with_graph


class MomentMatching(Guidance):
    """The inner system is solved exactly, from rank(H) products with the Jacobian (twice as many for complex states).

    A single conjugate-gradient iteration in its place, as it is found elsewhere, costs more than a nat. Complex
    states are solved for in stacked real and imaginary parts: J need not be complex-linear where x_0 is not circular.

    The Jacobian of a network is a covariance only nearly: what it has of H V H^H is symmetrised, and where that is
    negative y is not followed. So what H observes of x_0 always comes to lie between D and y.
    """

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Guided x_0."""
        leaf, x_0 = with_graph(self.denoiser, x_t, alpha, sigma)
        mean, scale = x_0.detach(), sigma**2 / alpha
        each = torch.eye(self.operator.rank, dtype=mean.dtype, device=mean.device)
        rows = self.pull(each)  # conjugate rows of diag(s) V^H, as states (R, N)
        if mean.is_complex():
            rows = torch.cat([rows, 1j * rows])
        last = len(rows) - 1
        columns = [scale * jacobian_product(x_0, leaf, row.expand_as(x_0), keep=j < last) for j, row in enumerate(rows)]
        cross = torch.stack(columns, 1)  # V H^H, one column a row: (B, Q, N)
        inner = self._real(self.operator.s * self.operator.spectral(cross))  # (B, Q, Q)
        values, vectors = torch.linalg.eigh(0.5 * (inner + inner.mT))
        along = (vectors.mT @ self._real(self.residual(mean))[..., None])[..., 0]
        along = torch.where(values > 0, along / (values.clamp_min(0) + self.noise_power), 0)
        weight = vectors @ along[..., None]
        return mean + (weight.to(cross.dtype) * cross).sum(1)

    @staticmethod
    def _real(values: torch.Tensor) -> torch.Tensor:
        """Real parts, then imaginary parts, along the last axis."""
        return torch.cat([values.real, values.imag], -1) if values.is_complex() else values
