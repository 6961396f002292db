"""Root-MUSIC: MUSIC on a uniform linear array by polynomial roots."""

import math

import torch

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.linear import azimuth_of_phase, azimuth_slope, require_ula
from doamc.estimators.subspace import music_std, noise_projector, require_rank, signal_subspace
from doamc.estimators.uncoupled import uncoupled_estimates
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class RootMusic(Estimator):
    """Roots nearest to the unit circle of a(1/z)^T G G^H a(z) ([Barabell]), uniform linear arrays; needs L >= P.

    No grid; resolves closer sources than MUSIC, with the same large-sample variance ([Rao-Hari-music]).
    Raises EstimatorError for another geometry.
    """

    name = "root-music"
    directional = True
    summary = "MUSIC by polynomial roots; uniform linear arrays; no grid"

    def __init__(self, spec: ArraySpec | str) -> None:
        super().__init__(spec)
        self.spacing = require_ula(self.spec, self.name)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions from the P roots inside and nearest to the unit circle. Raises EstimatorError when L < P."""
        require_rank(batch, n_sources, self.name)
        values, signal = signal_subspace(batch.covariance, n_sources)
        omega = self._phases(noise_projector(signal), n_sources)
        azimuth = azimuth_of_phase(self.spec, omega)
        element = torch.arange(batch.n_elements, dtype=torch.float64, device=omega.device)[:, None]
        response = torch.polar(torch.ones(1, dtype=torch.float64, device=omega.device), element * omega[:, None])
        std = music_std(batch, values, signal, response, 1j * element * response)
        return uncoupled_estimates(self.spec, batch, azimuth, std * azimuth_slope(self.spec, azimuth))

    def _phases(self, projector: torch.Tensor, n_sources: int) -> torch.Tensor:
        """Phase steps (B, P) of the chosen roots."""
        n = projector.shape[1]
        # Without noise the roots are double and on the circle; 1e-12 moves them off it, one in and one out.
        off = 1e-12 * torch.eye(n, dtype=projector.dtype, device=projector.device)
        root = polynomial_roots(_diagonal_sums(projector + off))
        # Roots come in pairs z, 1 / conj(z): the smaller N - 1 are one of each pair.
        size, order = root.abs().sort(1)
        root = root.gather(1, order)[:, : n - 1]
        # With less than half a wavelength some phases belong to no direction; they come last.
        visible = root.angle().abs() <= 2 * math.pi * self.spacing
        rank = size[:, : n - 1] + visible.to(size.dtype)
        return root.gather(1, rank.topk(n_sources, 1)[1]).angle()


def _diagonal_sums(matrix: torch.Tensor) -> torch.Tensor:
    """Sums along the diagonals n - m = -(N-1)..N-1 of (B, N, N): polynomial coefficients, lowest first."""
    n = matrix.shape[1]
    return torch.stack([matrix.diagonal(lag, 1, 2).sum(1) for lag in range(1 - n, n)], 1)


def polynomial_roots(coefficients: torch.Tensor) -> torch.Tensor:
    """Roots (B, D) of sum_k c_k z^k, coefficients (B, D + 1) lowest first, as eigenvalues of the companion matrix."""
    lead = coefficients[:, -1:]
    tiny = 1e-13 * coefficients.abs().amax(1, keepdim=True)
    lead = torch.where(lead.abs() > tiny, lead, tiny.to(lead.dtype))
    degree = coefficients.shape[1] - 1
    companion = torch.zeros(len(lead), degree, degree, dtype=lead.dtype, device=lead.device)
    companion[:, 1:, :-1] = torch.eye(degree - 1, dtype=lead.dtype, device=lead.device)
    companion[:, :, -1] = -coefficients[:, :-1] / lead
    return torch.linalg.eigvals(companion)
