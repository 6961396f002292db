"""Covariance of the received snapshots and its derivatives, for methods that descend and for the bound.

    R = C A P A^H C^H + s2 I,      x = [azimuth (P), height (P or 0), log power (P), theta (2 K), log s2]

The stacked real vector x is what Fisher scoring, the covariance fits and the Cramér-Rao bound work on. Logarithms
keep powers positive without constraints. Heights are the sines of elevations, where the array has these. `likelihood`
has the same model in coordinates in which the prior is flat, for many scenes a batch.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from doamc.arrays.steering import plain_steering, steering
from doamc.coupling.directional import DirectionalFamily
from doamc.scenes.directional import extended_derivatives
from doamc.spec import ArraySpec

MOST_HEIGHT = 1 - 1e-9  #: sine of an elevation, beyond which azimuth has no meaning


@dataclass(frozen=True)
class CovarianceModel:
    """R(x) of an array for P sources; x has 2 P + 2 K + 1 real entries, P more with elevations."""

    spec: ArraySpec
    n_sources: int

    @cached_property
    def first_power(self) -> int:
        """Where the logarithms of the powers begin in x: how many numbers the directions are."""
        return self.n_sources * (2 if self.spec.elevated else 1)

    @cached_property
    def size(self) -> int:
        """Number of entries of x."""
        return self.first_power + self.n_sources + self.spec.family.n_parameters + 1

    def pack(
        self,
        azimuth: torch.Tensor,  # shape: (B, P), rad
        power: torch.Tensor,  # shape: (B, P), linear
        theta: torch.Tensor,  # shape: (B, 2 K)
        noise_power: torch.Tensor,  # shape: (B,)
        elevation: torch.Tensor | None = None,  # shape: (B, P), rad, where the array has elevations
    ) -> torch.Tensor:
        """Stack a scene into x, (B, D)."""
        height = [] if elevation is None else [elevation.sin()]
        return torch.cat([azimuth, *height, power.log(), theta, noise_power.log()[:, None]], 1)

    def unpack(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Azimuth (B, P), power (B, P), theta (B, 2 K) and noise power (B,) of x."""
        p, first = self.n_sources, self.first_power
        return x[:, :p], x[:, first : first + p].exp(), x[:, first + p : -1], x[:, -1].exp()

    def covariance(self, x: torch.Tensor) -> torch.Tensor:
        """R, (B, N, N)."""
        azimuth, power, theta, noise = self.unpack(x)
        elevation = self.elevation(x)
        tilt = 0.0 if elevation is None else elevation
        if self.series is not None:
            v = self.series.response(theta, self.spec.positions, azimuth, tilt)
        else:
            v = self.coupling(theta) @ steering(self.spec.positions, azimuth, tilt)
        return (v * power[:, None]) @ v.mH + noise[:, None, None] * self._eye

    def elevation(self, x: torch.Tensor) -> torch.Tensor | None:
        """Elevations (B, P) in rad of x; None where the array has none."""
        return self._height(x).asin() if self.spec.elevated else None

    def response(
        self, azimuth: torch.Tensor, theta: torch.Tensor, elevation: torch.Tensor | None = None
    ) -> torch.Tensor:
        """C A (B, N, P) of azimuth and elevation (B, P) in rad and theta (B, 2 K), not differentiable."""
        if self.series is not None:
            return self.series.response(theta, self.spec.positions, azimuth, 0.0 if elevation is None else elevation)
        n = self.spec.n_elements
        c = (theta.numpy() @ self._flat.numpy()).view(np.complex128).reshape(-1, n, n) + self._centre.numpy()
        if elevation is not None:
            return torch.from_numpy(c @ steering(self.spec.positions, azimuth, elevation).numpy())
        return torch.from_numpy(c @ plain_steering(self.spec.positions, azimuth.numpy()))

    def derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """R (B, N, N) and dR/dx (B, D, N, N), all Hermitian.

        This is the inner loop of every fit: few, large operations, since a small one costs as much as a large one.
        """
        if self.series is not None:
            return self._directional_derivatives(x, self.series)
        if self.spec.elevated:
            return self._elevated_derivatives(x)
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

    def _elevated_derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`derivatives` with heights among the entries of x."""
        first = self.first_power
        azimuth, power, theta, noise = self.unpack(x)
        wave, elevation = 2 * math.pi * self.spec.positions, self._height(x).asin()
        a = steering(self.spec.positions, azimuth, elevation)
        level = elevation.cos()
        flat = level.new_zeros(level.shape)
        by_azimuth = torch.stack([-level * azimuth.sin(), level * azimuth.cos(), flat], 1)
        by_height = torch.stack([-elevation.tan() * azimuth.cos(), -elevation.tan() * azimuth.sin(), flat + 1], 1)
        slope = wave @ torch.cat([by_azimuth, by_height], 2)  # of the phases of a, (B, N, 2 P)
        v = self.coupling(theta) @ torch.cat([1j * slope * torch.cat([a, a], 2), 0.5 * a], 2)  # [dv, v / 2]
        right = ((2 * power)[:, None] * v[..., first:]).conj()  # conjugate of P v
        r = 2 * (v[..., first:] @ right.mT) + noise[:, None, None] * self._eye
        half = torch.cat(
            [
                v.mT[..., None] * right.repeat(1, 1, 3).mT[:, :, None],
                self._basis @ (a @ right.mT)[:, None],
                (0.5 * noise)[:, None, None, None] * self._eye,
            ],
            1,
        )
        return r, half + half.mH

    def _directional_derivatives(self, x: torch.Tensor, series: DirectionalFamily) -> tuple[torch.Tensor, torch.Tensor]:
        """`derivatives` of coupling that depends on direction, with or without heights."""
        azimuth, power, theta, noise = self.unpack(x)
        height = self._height(x) if self.spec.elevated else None
        a, *moved = extended_derivatives(series, self.spec.positions, azimuth, height)
        basis = series.extended_basis
        e = series.mean + torch.einsum("bk,knm->bnm", theta.to(basis.dtype), basis)
        v, directions = e @ a, torch.cat([e @ d for d in moved], 2)
        right = (power[:, None] * v).conj().mT  # of P V^H, (B, P, N)
        half = [
            directions.mT[..., None] * right.repeat(1, len(moved), 1)[:, :, None],
            0.5 * v.mT[..., None] * right[:, :, None],
            (basis @ a[:, None]) @ right[:, None],
            (0.5 * noise)[:, None, None, None] * self._eye,
        ]
        stacked = torch.cat(half, 1)
        return v @ right + noise[:, None, None] * self._eye, stacked + stacked.mH

    @cached_property
    def series(self) -> DirectionalFamily | None:
        """The coupling family where it is a series over direction, else None."""
        family = self.spec.family
        return family if isinstance(family, DirectionalFamily) else None

    def by_direction(
        self, azimuth: torch.Tensor, theta: torch.Tensor, elevation: torch.Tensor | None = None
    ) -> torch.Tensor | None:
        """C of every source, (B, P, N, N), of directions (B, P) in rad; None where all have the same."""
        tilt = 0.0 if elevation is None else elevation
        return None if self.series is None else self.series.matrices(theta, azimuth, tilt)

    def coupling(self, theta: torch.Tensor) -> torch.Tensor:
        """C of theta (B, 2 K), (B, N, N): one real product with the stacked basis."""
        n = self._eye.shape[0]
        return torch.view_as_complex((theta @ self._flat).reshape(-1, n, n, 2)) + self._centre

    def _height(self, x: torch.Tensor) -> torch.Tensor:
        """Sines of elevations (B, P)."""
        return x[:, self.n_sources : 2 * self.n_sources].clamp(-MOST_HEIGHT, MOST_HEIGHT)

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
