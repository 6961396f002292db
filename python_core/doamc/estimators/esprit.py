"""ESPRIT: directions from the rotation between two shifted subarrays."""

import torch

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.linear import azimuth_of_phase, azimuth_slope, require_ula
from doamc.estimators.subspace import eigenvector_noise, require_rank, signal_subspace
from doamc.estimators.uncoupled import uncoupled_estimates
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class Esprit(Estimator):
    """Total-least-squares ESPRIT ([Roy-Kailath]) on the first and last N - 1 elements; needs L >= P.

    No grid and no search. Uniform linear arrays; raises EstimatorError for another geometry.
    """

    name = "esprit"
    directional = True
    summary = "rotational invariance by total least squares; uniform linear arrays; fastest"

    def __init__(self, spec: ArraySpec | str) -> None:
        super().__init__(spec)
        require_ula(self.spec, self.name)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions from the eigenvalues of the rotation. Raises EstimatorError when L < P."""
        require_rank(batch, n_sources, self.name)
        values, signal = signal_subspace(batch.covariance, n_sources)
        rotation = total_least_squares_rotation(signal)
        eigenvalue, right = torch.linalg.eig(rotation)
        azimuth = azimuth_of_phase(self.spec, eigenvalue.angle())
        std = _phase_std(signal, eigenvalue, right, eigenvector_noise(batch, values))
        return uncoupled_estimates(self.spec, batch, azimuth, std * azimuth_slope(self.spec, azimuth))


def total_least_squares_rotation(signal: torch.Tensor) -> torch.Tensor:
    """Psi (B, P, P) of E_1 Psi = E_2, both in error; E_1, E_2 are the signal basis (B, N, P) less its last, first row.

    Psi = -V_12 V_22^-1, with V the eigenvectors of [E_1 E_2]^H [E_1 E_2] ([Roy-Kailath] section IV).
    """
    n_sources = signal.shape[2]
    both = torch.cat([signal[:, :-1], signal[:, 1:]], 2)
    small = torch.linalg.eigh(both.mH @ both)[1][:, :, :n_sources]
    return -small[:, :n_sources] @ torch.linalg.pinv(small[:, n_sources:])


def _phase_std(
    signal: torch.Tensor,  # shape: (B, N, P)
    eigenvalue: torch.Tensor,  # shape: (B, P)
    right: torch.Tensor,  # shape: (B, P, P), right eigenvectors in columns
    leak: torch.Tensor,  # shape: (B, P), see eigenvector_noise
) -> torch.Tensor:
    """Large-sample standard deviation of the phases, (B, P), equal for least and total least squares.

    To first order d lambda_i = r_i dE t_i with r_i = q_i E_1^+ (J_2 - lambda_i J_1), q_i and t_i the left and right
    eigenvectors; r_i lies in the noise subspace, so var = |r_i|^2 sum_k |t_ki|^2 leak_k / 2 ([Rao-Hari-esprit]).
    """
    left = torch.linalg.pinv(right) @ torch.linalg.pinv(signal[:, :-1])
    zero = torch.zeros_like(left[:, :, :1])
    row = torch.cat([zero, left], 2) - eigenvalue[:, :, None] * torch.cat([left, zero], 2)
    leaked = (right.abs() ** 2 * leak[:, :, None]).sum(1)
    return (row.abs().square().sum(2) * leaked / 2).sqrt()
