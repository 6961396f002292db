"""Covariance of the received snapshots and its derivatives, the one place where the Gaussian model is written.

    R = C A P A^H C^H + s2 I,      x = [azimuth (P), log power (P), theta (2 K), log s2]

The stacked real vector x is what Fisher scoring, the covariance fits and the Cramér-Rao bound work on. Logarithms
keep powers positive without constraints.
"""

from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering, steering_derivative
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class CovarianceModel:
    """R(x) of an array for P sources; x has 2 P + 2 K + 1 real entries."""

    spec: ArraySpec
    n_sources: int

    def pack(
        self,
        azimuth: torch.Tensor,  # shape: (B, P), rad
        power: torch.Tensor,  # shape: (B, P), linear
        theta: torch.Tensor,  # shape: (B, 2 K)
        noise_power: torch.Tensor,  # shape: (B,)
    ) -> torch.Tensor:
        """Stack a scene into x, (B, 2 P + 2 K + 1)."""
        return torch.cat([azimuth, power.log(), theta, noise_power.log()[:, None]], 1)

    def unpack(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Azimuth (B, P), power (B, P), theta (B, 2 K) and noise power (B,) of x."""
        p = self.n_sources
        return x[:, :p], x[:, p : 2 * p].exp(), x[:, 2 * p : -1], x[:, -1].exp()

    def covariance(self, x: torch.Tensor) -> torch.Tensor:
        """R, (B, N, N)."""
        azimuth, power, theta, noise = self.unpack(x)
        v = self.spec.family.matrix(theta) @ steering(self.spec.positions, azimuth)
        eye = torch.eye(self.spec.n_elements, dtype=v.dtype)
        return (v * power[:, None]) @ v.mH + noise[:, None, None] * eye

    def derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """R (B, N, N) and dR/dx (B, 2 P + 2 K + 1, N, N), all Hermitian."""
        azimuth, power, theta, noise = self.unpack(x)
        family, positions = self.spec.family, self.spec.positions
        a, (da, _) = steering(positions, azimuth), steering_derivative(positions, azimuth)
        c = family.matrix(theta)
        v, dv = (c @ torch.cat([a, da], -1)).split(self.n_sources, -1)
        weighted = power[:, None] * v
        eye = torch.eye(self.spec.n_elements, dtype=v.dtype)
        r = weighted @ v.mH + noise[:, None, None] * eye
        by_azimuth = torch.einsum("bnp,bmp->bpnm", dv, weighted.conj())
        by_power = torch.einsum("bnp,bmp->bpnm", 0.5 * v, weighted.conj())
        by_theta = family.basis @ (a @ weighted.mH)[:, None]
        by_noise = (0.5 * noise)[:, None, None, None] * eye
        half = torch.cat([by_azimuth, by_power, by_theta, by_noise], 1)
        return r, half + half.mH


def fisher_information(
    r: torch.Tensor,  # shape: (B, N, N)
    dr: torch.Tensor,  # shape: (B, D, N, N)
) -> torch.Tensor:
    """Fisher information of one snapshot, F_ij = Re tr(R^-1 dR_i R^-1 dR_j), (B, D, D)."""
    m = torch.linalg.inv(r)[:, None] @ dr
    return (m.flatten(2) @ m.mT.flatten(2).mT).real
