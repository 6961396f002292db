"""Signal and noise subspaces of a covariance, and what they say about the accuracy of MUSIC."""

import numpy as np
import torch

from doamc.errors import EstimatorError
from doamc.estimators.uncoupled import noise_power_of
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import unbiased_noise_power


def signal_subspace(
    covariance: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The P largest eigenvalues (B, P), ascending, and their eigenvectors (B, N, P)."""
    values, vectors = torch.linalg.eigh(covariance)
    return values[:, -n_sources:], vectors[:, :, -n_sources:]


def noise_projector(signal: torch.Tensor) -> torch.Tensor:
    """Projector G G^H on the complement of an orthonormal signal basis: (B, N, P) -> (B, N, N)."""
    eye = torch.eye(signal.shape[1], dtype=signal.dtype, device=signal.device)
    return eye - signal @ signal.mH


def require_rank(batch: SnapshotBatch, n_sources: int, method: str) -> None:
    """Raise EstimatorError when L < P: the sample covariance then has no P-dimensional signal subspace."""
    if batch.n_snapshots < n_sources:
        raise EstimatorError(
            f"{method} needs at least as many snapshots as sources, found L = {batch.n_snapshots} for P = {n_sources}; "
            "use more snapshots or another method"
        )


def eigenvector_noise(batch: SnapshotBatch, values: torch.Tensor) -> torch.Tensor:
    """Variance of the part of each signal eigenvector that leaks into a unit noise direction, (B, P).

    Large-sample law lambda s2 / (L (lambda - s2)^2), circular and uncorrelated between eigenvectors ([Stoica-Nehorai]
    eq. (3.8)). NaN where L <= P and the noise power is not known: the data then hold no noise estimate.
    values: signal eigenvalues (B, P).
    """
    n_sources, n_snapshots = values.shape[1], batch.n_snapshots
    power = noise_power_of(batch, n_sources)
    if batch.noise_power is None:
        if n_snapshots <= n_sources:
            return torch.full_like(values, torch.nan)
        power = unbiased_noise_power(power, n_snapshots, n_sources)
    size, noise = values.numpy(), power.numpy()[:, None]
    excess = np.maximum(size - noise, 1e-3 * noise)
    return torch.from_numpy(size * noise / (n_snapshots * (excess * excess)))


def music_std(
    batch: SnapshotBatch,
    values: torch.Tensor,  # shape: (B, P), signal eigenvalues
    signal: torch.Tensor,  # shape: (B, N, P), signal eigenvectors
    response: torch.Tensor,  # shape: (B, N, P), a at the estimates
    derivative: torch.Tensor,  # shape: (B, N, P), its derivative by the parameter
) -> torch.Tensor:
    """Large-sample standard deviation of MUSIC and root-MUSIC, (B, P), in units of the parameter.

    var = (1 / 2L) a^H U a / (d^H G G^H d), U = s2 sum_k lambda_k / (lambda_k - s2)^2 s_k s_k^H
    ([Stoica-Nehorai] eq. (3.12)); the estimates stand in for the truth.
    """
    leak, p = eigenvector_noise(batch, values).numpy(), values.shape[1]
    s, a, d = (x.resolve_conj().numpy() for x in (signal, response, derivative))
    inside = _square(s.conj().swapaxes(1, 2) @ np.concatenate([a, d], 2))  # (B, P, 2 P)
    curvature = _square(d).sum(1) - inside[:, :, p:].sum(1)
    return torch.from_numpy(np.sqrt((leak[:, :, None] * inside[:, :, :p]).sum(1) / (2 * np.maximum(curvature, 1e-300))))


def music_std_of_both(
    batch: SnapshotBatch,
    values: torch.Tensor,  # shape: (B, P), signal eigenvalues
    signal: torch.Tensor,  # shape: (B, N, P), signal eigenvectors
    response: torch.Tensor,  # shape: (B, N, P), a at the estimates
    by_azimuth: torch.Tensor,  # shape: (B, N, P), its derivatives
    by_elevation: torch.Tensor,  # shape: (B, N, P)
) -> tuple[torch.Tensor, torch.Tensor]:
    """Large-sample standard deviations of azimuth and elevation by MUSIC, (B, P) each.

    As `music_std` with the matrix Re(d_i^H G G^H d_j) in the place of the curvature.
    """
    leak = eigenvector_noise(batch, values)
    spread = (leak[:, :, None] * (signal.mH @ response).abs().square()).sum(1) / 2
    d = torch.stack([by_azimuth, by_elevation], 3)  # (B, N, P, 2)
    rest = d - torch.einsum("bnk,bmk,bmpi->bnpi", signal, signal.conj(), d)
    curvature = torch.einsum("bnpi,bnpj->bpij", rest.conj(), rest).real
    a, b, c = curvature[..., 0, 0], curvature[..., 1, 1], curvature[..., 0, 1]
    det = (a * b - c * c).clamp_min(1e-300)
    return (spread * b / det).sqrt(), (spread * a / det).sqrt()


def _square(x: np.ndarray) -> np.ndarray:
    """Squared magnitudes of complex numbers."""
    return x.real * x.real + x.imag * x.imag
