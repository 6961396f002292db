"""Directions once the coupling is known: MUSIC, ESPRIT or sparse Bayes on the manifold C a(az)."""

import math

import torch

from doamc.arrays.steering import steering
from doamc.estimators.esprit import total_least_squares_rotation
from doamc.estimators.linear import azimuth_of_phase
from doamc.estimators.peaks import azimuth_grid, highest_peaks
from doamc.routes.block_sbl import learn, merged_peaks
from doamc.spec import ArraySpec


class CorrectedManifold:
    """Responses C a of a grid of directions. step_deg: of the grid; a parabola goes between its points."""

    def __init__(self, spec: ArraySpec, step_deg: float = 0.5) -> None:
        self.spec, self.grid = spec, azimuth_grid(spec, step_deg)
        self.response = steering(spec.positions, self.grid).to(torch.complex128)  # (N, G)

    def music(
        self,
        coupling: torch.Tensor,  # shape: (B, N, N)
        signal: torch.Tensor,  # shape: (B, N, P'), orthonormal
        n_sources: int,
    ) -> torch.Tensor:
        """Azimuths (B, P), ascending: lowest minima of |E_n^H C a|^2 / |C a|^2.

        Divided by the length of C a, which varies many-fold with direction under strong coupling.
        """
        v = coupling @ self.response
        inside = (signal.mH @ v).abs().square().sum(1) / v.abs().square().sum(1)
        return highest_peaks(inside, self.grid, n_sources, self.spec.full_circle)

    def esprit(self, coupling: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
        """Azimuths (B, P), ascending, from the rotation of C^-1 E_s; EstimatorError unless the array is a ULA."""
        uncoupled = torch.linalg.qr(torch.linalg.solve(coupling, signal))[0]
        eigenvalue = torch.linalg.eigvals(total_least_squares_rotation(uncoupled))
        return azimuth_of_phase(self.spec, eigenvalue.angle()).sort(1)[0]

    def sparse(
        self,
        coupling: torch.Tensor,
        covariance: torch.Tensor,  # shape: (B, N, N)
        noise_power: torch.Tensor | None,  # shape: (B,), where known
        n_sources: int,
        iterations: int = 60,
    ) -> torch.Tensor:
        """Azimuths (B, P), ascending: the strongest powers of sparse Bayesian learning with C known."""
        spans = (coupling @ self.response).mT[..., None]
        one = torch.ones(1, 1, dtype=torch.complex128)
        state = learn(spans, covariance, one, noise_power, iterations, learn_shape=False)
        separation = math.radians(self.spec.min_separation_deg)
        return merged_peaks(state.gamma, self.grid, n_sources, separation, self.spec.full_circle).sort(1)[0]
