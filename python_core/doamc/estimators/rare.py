"""Rank reduction (RARE) over a linear coupling family: directions without knowing the coupling.

Over the complex span of a family C a = T(az) c with T = [E_0 a, E_1 a, ...], so a direction is present when the
noise subspace leaves T rank deficient: E_n^H T(az) c = 0 for some c. With T orthonormalised to Q(az) that is
lambda_min(Q^H E_n E_n^H Q) = 1 - lambda_max(E_s^H Q Q^H E_s), and only a P x P matrix is needed per grid point.
After [Pesavento-Gershman-Wong]; for coupling, [Friedlander-Weiss].
"""

from itertools import combinations

import numpy as np
import torch

from doamc.arrays.steering import plain_steering, steering
from doamc.coupling.directional import DirectionalFamily
from doamc.coupling.directional_fit import coupling_of_directions
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.peaks import azimuth_grid, highest_peaks
from doamc.estimators.powers import source_powers
from doamc.estimators.sphere_rare import SphereRare
from doamc.estimators.uncoupled import noise_power_of
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class RareCoupling:
    """The coupling that goes with directions found by RARE, and where the method is defined."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec, self.basis = spec, spec.coefficient_family.linear_basis
        self._width = len(self.basis)
        self._flat_basis = self.basis.flatten(0, 1).contiguous().numpy()  # (K' N, N)

    def check(self, n_sources: int) -> None:
        """Raise EstimatorError where the family is too rich for RARE to be defined."""
        n, width = self.spec.n_elements, self._width
        if width > n - n_sources:
            raise EstimatorError(
                f"RARE needs coupling parameters + 1 <= N - P, found {width} > {n - n_sources}; "
                f"use fewer sources or a smaller coupling family"
            )

    def coupling(
        self,
        noise_subspace: torch.Tensor,  # shape: (B, N, N - P)
        azimuth: torch.Tensor,  # shape: (B, Q), rad
        choices: np.ndarray,  # shape: (S, P), places of azimuths
        elevation: torch.Tensor | None = None,  # shape: (B, Q), rad
    ) -> torch.Tensor:
        """Real coupling parameters (B, S, 2 K) that best explain each choice of directions.

        They are the least eigenvector over all directions of a choice; of coupling that depends on direction, what
        `coupling_of_directions` finds.
        """
        if isinstance(self.spec.family, DirectionalFamily):
            projector = (noise_subspace @ noise_subspace.mH)[:, None]
            tilt = 0.0 if elevation is None else elevation[:, choices]
            return coupling_of_directions(self.spec.family, self.spec.positions, projector, azimuth[:, choices], tilt)
        k, n, _ = self.basis.shape
        if elevation is None:
            a = plain_steering(self.spec.positions, azimuth.numpy())
        else:
            a = steering(self.spec.positions, azimuth, elevation).numpy()
        t = (self._flat_basis @ a).reshape(len(a), k, n, -1)  # of [E_k a]
        noise = noise_subspace.resolve_conj().numpy()
        z = (noise.conj().swapaxes(1, 2)[:, None] @ t).transpose(0, 3, 2, 1)  # (B, Q, N - P, K')
        m = (z.conj().swapaxes(2, 3) @ z)[:, choices].sum(2)
        least = torch.from_numpy(np.linalg.eigh(m)[1][..., 0])
        return self.spec.plain_family.from_span(least.flatten(0, 1)).unflatten(0, m.shape[:2])


class RareSpectrum(RareCoupling):
    """RARE spectrum of an array on a fixed azimuth grid, -log(1 - lambda_max), and the coupling that goes with it."""

    def __init__(self, spec: ArraySpec, step_deg: float = 0.25) -> None:
        super().__init__(spec)
        self.grid = azimuth_grid(spec, step_deg)
        t = self._span(self.grid)  # (G, N, K')
        # an orthonormal basis that drops directions in which T itself is (nearly) rank deficient
        u, s, _ = torch.linalg.svd(t, full_matrices=False)
        q = u * (s > 1e-3 * s[:, :1])[:, None]
        self._q = q.permute(1, 0, 2).reshape(t.shape[1], -1).contiguous().numpy()  # (N, G K')

    def _span(self, azimuth: torch.Tensor) -> torch.Tensor:
        """T(az), (..., N, K') for azimuth (...)."""
        a = steering(self.spec.positions, azimuth[..., None])[..., 0]
        k, n, _ = self.basis.shape
        return (a @ self.basis.flatten(0, 1).mT).unflatten(-1, (k, n)).mT

    def spectrum(self, signal_subspace: torch.Tensor) -> torch.Tensor:
        """Spectrum (B, G) of orthonormal signal subspaces (B, N, P)."""
        b, _, p = signal_subspace.shape
        signal = signal_subspace.resolve_conj().cpu().numpy()
        z = (signal.conj().swapaxes(1, 2) @ self._q).reshape(b, p, len(self.grid), self._width)
        if p <= 2:
            parts = z.view(np.float64)
            d = np.einsum("bpgk,bpgk->bpg", parts, parts)
        if p == 1:
            top = d[:, 0]
        elif p == 2:  # largest eigenvalue of a 2 x 2 Hermitian matrix in closed form
            off = np.einsum("bgk,bgk->bg", z[:, 0], z[:, 1].conj())
            half = 0.5 * (d[:, 0] - d[:, 1])
            top = 0.5 * (d[:, 0] + d[:, 1]) + np.sqrt(half * half + (off.real * off.real + off.imag * off.imag))
        else:
            z = z.swapaxes(1, 2)
            top = np.linalg.eigvalsh(z @ z.conj().swapaxes(2, 3))[..., -1]
        return torch.from_numpy(-np.log(np.maximum(1 - top, 1e-14)))


class Rare(Estimator):
    """RARE over the array's coupling family; coupling from the directions found, powers by least squares."""

    name = "rare"
    elevations = directional = True
    summary = "rank reduction over the coupling family: directions and coupling without a start"

    def __init__(self, spec: ArraySpec | str, step_deg: float = 0.25) -> None:
        super().__init__(spec)
        self.sphere = SphereRare(self.spec) if self.spec.elevated else None
        self.spectrum = RareSpectrum(self.spec, step_deg) if self.sphere is None else RareCoupling(self.spec)

    def candidates(
        self,
        vectors: torch.Tensor,  # shape: (B, N, N), eigenvectors of the covariance by ascending eigenvalue
        n_sources: int,
        n_snapshots: int,
        extra_peaks: int = 0,
    ) -> tuple[torch.Tensor, ...]:
        """Sets of azimuths (B, S, P) in rad, their coupling parameters (B, S, 2 K), and elevations (B, S, P), if any.

        All choices of P among the P + extra_peaks highest peaks; the first is the P highest. With L < P snapshots the
        signal subspace has L dimensions and the spectrum is that of a beamformer which is blind to the coupling.
        """
        self.spectrum.check(n_sources)
        rank = min(n_sources, n_snapshots)
        if not isinstance(self.spectrum, RareSpectrum):
            return self._on_sphere(vectors, rank, n_sources, extra_peaks)
        spectrum = self.spectrum.spectrum(vectors[..., -rank:])
        peaks = highest_peaks(spectrum, self.spectrum.grid, n_sources + extra_peaks, self.spec.full_circle, True)
        choices = np.array(list(combinations(range(n_sources + extra_peaks), n_sources)))
        azimuth = np.sort(peaks.numpy()[:, choices], 2)
        return torch.from_numpy(azimuth), self.spectrum.coupling(vectors[..., :-rank], peaks, choices)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, coupling and powers; no error bars."""
        azimuth, theta, *tilt = (c[:, 0] for c in self.candidates(batch.eigen[1], n_sources, batch.n_snapshots))
        family, each = self.spec.family, None
        coupling = family.matrix(theta)
        if isinstance(family, DirectionalFamily):
            each = family.matrices(theta, azimuth, *tilt)
            v = family.response(theta, self.spec.positions, azimuth, *tilt)
        else:
            v = coupling @ steering(self.spec.positions, azimuth, *tilt)
        noise = noise_power_of(batch, n_sources)
        power = source_powers(batch.covariance, v, noise)
        count, none = torch.full((batch.size,), n_sources), torch.full_like(azimuth, torch.nan)
        e = Estimates(azimuth, none, power, coupling, noise, count, elevation=tilt[0] if tilt else None)
        return e if each is None else e.having(coupling_by_direction=each)

    def _on_sphere(
        self, vectors: torch.Tensor, rank: int, n_sources: int, extra_peaks: int
    ) -> tuple[torch.Tensor, ...]:
        """`candidates` of an array with elevations."""
        sphere = self.sphere or SphereRare(self.spec)
        azimuth, elevation = sphere.minima(vectors[..., -rank:], n_sources + extra_peaks)
        choices = np.array(list(combinations(range(n_sources + extra_peaks), n_sources)))
        theta = self.spectrum.coupling(vectors[..., :-rank], azimuth, choices, elevation)
        chosen, order = azimuth[:, choices].sort(2)
        return chosen, theta, elevation[:, choices].gather(2, order)
