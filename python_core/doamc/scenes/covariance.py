"""Covariance of the received snapshots and its derivatives, for methods that descend and for the bound.

    R = C A P A^H C^H + s2 I,      x = [azimuth (P), log power (P), theta (2 K), log s2]

The stacked real vector x is what Fisher scoring, the covariance fits and the Cramér-Rao bound work on. Logarithms
keep powers positive without constraints. `likelihood` has the same model in coordinates in which the prior is flat, for
many scenes a batch.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from doamc.arrays.steering import plain_steering, steering
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
        v = self.coupling(theta) @ steering(self.spec.positions, azimuth)
        return (v * power[:, None]) @ v.mH + noise[:, None, None] * self._eye

    def response(self, azimuth: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        """C A (B, N, P) of azimuth (B, P) in rad and theta (B, 2 K), not differentiable."""
        n = self.spec.n_elements
        c = (theta.numpy() @ self._flat.numpy()).view(np.complex128).reshape(-1, n, n) + self._centre.numpy()
        return torch.from_numpy(c @ plain_steering(self.spec.positions, azimuth.numpy()))

    def derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """R (B, N, N) and dR/dx (B, 2 P + 2 K + 1, N, N), all Hermitian.

        This is the inner loop of every fit: few, large operations, since a small one costs as much as a large one.
        """
        p, (b, d) = self.n_sources, x.shape
        power, noise = x[:, p : 2 * p].exp(), x[:, -1].exp()[:, None, None]
        cosine, sine = x[:, :p].cos(), x[:, :p].sin()
        turn = torch.stack([torch.cat([cosine, -sine], 1), torch.cat([sine, cosine], 1)], 1)
        phase, slope = (self._wavenumbers @ turn).split(p, 2)  # of a, and its derivative by azimuth
        a = torch.polar(torch.ones_like(phase), phase)
        n = a.shape[1]
        c = self.coupling(x[:, 2 * p : -1])
        v = c @ torch.cat([torch.complex(torch.zeros_like(slope), slope) * a, 0.5 * a], 2)  # [dv, v / 2]
        weighted = (2 * power)[:, None] * v[..., p:]
        conjugate = weighted.conj()
        r = 2 * (v[..., p:] @ conjugate.mT) + noise * self._eye
        half = torch.empty(b, d, n, n, dtype=a.dtype)
        half[:, : 2 * p] = v.mT[..., None] * torch.cat([conjugate, conjugate], 2).mT[:, :, None]
        half[:, 2 * p : -1] = self._basis @ (a @ conjugate.mT)[:, None]
        half[:, -1] = (0.5 * noise) * self._eye
        return r, half + half.mH

    def coupling(self, theta: torch.Tensor) -> torch.Tensor:
        """C of theta (B, 2 K), (B, N, N): one real product with the stacked basis."""
        n = self._eye.shape[0]
        return torch.view_as_complex((theta @ self._flat).reshape(-1, n, n, 2)) + self._centre

    @cached_property
    def _wavenumbers(self) -> torch.Tensor:
        return 2 * math.pi * self.spec.positions[:, :2]

    @cached_property
    def _centre(self) -> torch.Tensor:
        return self.spec.family.centre

    @cached_property
    def _basis(self) -> torch.Tensor:
        return self.spec.family.basis

    @cached_property
    def _flat(self) -> torch.Tensor:
        return torch.view_as_real(self._basis.contiguous()).flatten(1)

    @cached_property
    def _eye(self) -> torch.Tensor:
        return torch.eye(self.spec.n_elements, dtype=torch.complex128)


class CovarianceModels(dict[int, CovarianceModel]):
    """The models of an array by their number of sources, each made when first asked for."""

    def __init__(self, spec: ArraySpec) -> None:
        super().__init__()
        self.spec = spec

    def __missing__(self, n_sources: int) -> CovarianceModel:
        self[n_sources] = CovarianceModel(self.spec, n_sources)
        return self[n_sources]


def fisher_information(
    r: torch.Tensor,  # shape: (B, N, N)
    dr: torch.Tensor,  # shape: (B, D, N, N)
) -> torch.Tensor:
    """Fisher information of one snapshot, F_ij = Re tr(R^-1 dR_i R^-1 dR_j), (B, D, D)."""
    m = torch.linalg.inv(r)[:, None] @ dr
    return (m.flatten(2) @ m.mT.flatten(2).mT).real
