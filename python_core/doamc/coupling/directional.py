"""Coupling that depends on direction, C(az): [Luo-Fung] eq. (4).

A scatterer near the array (a mast) makes the effective coupling matrix vary with the direction of arrival.
It is periodic in azimuth, so a short Fourier series over members of one linear family describes it:

    C(az) = C_0 + sum_{h=1..H} [cos(h az) C_h^c + sin(h az) C_h^s],    y = sum_p C(az_p) a(az_p) s_p + n
"""

from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering
from doamc.coupling.family import CouplingFamily


@dataclass(frozen=True)
class DirectionalCoupling:
    """C(az) as a Fourier series of order H over a linear family.

    theta: real parameters (..., 1 + 2 H, 2 K): the mean member, then cosine and sine parts in turn.
    """

    family: CouplingFamily
    theta: torch.Tensor

    def matrix(self, azimuth: torch.Tensor) -> torch.Tensor:
        """C(az): azimuth (..., P) in rad -> (..., P, N, N)."""
        orders = torch.arange(1, (self.theta.shape[-2] - 1) // 2 + 1, dtype=azimuth.dtype)
        angle = azimuth[..., None] * orders
        series = torch.stack([angle.cos(), angle.sin()], -1).flatten(-2)
        weights = torch.cat([torch.ones_like(azimuth)[..., None], series], -1)
        return self.family.matrix(weights @ self.theta)

    def response(
        self,
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
    ) -> torch.Tensor:
        """Columns C(az_p) a(az_p), shape (..., N, P)."""
        return torch.einsum("...pij,...jp->...ip", self.matrix(azimuth), steering(positions, azimuth))
