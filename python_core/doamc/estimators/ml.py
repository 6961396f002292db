"""Gaussian maximum likelihood over directions, powers, coupling and noise, by damped Fisher scoring.

    minimise  log det R(x) + tr(R(x)^-1 R_hat)       gradient_i = tr(R^-1 (R - R_hat) R^-1 dR_i)

The curvature is the Fisher information, so the inverse at the end gives the error bars.
"""

import torch

from doamc.arrays.steering import steering
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.powers import noise_power_from_eigenvalues, source_powers
from doamc.estimators.rare import Rare
from doamc.estimators.scoring import fisher_scoring
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


def negative_log_likelihood(
    r: torch.Tensor,  # shape: (B, N, N)
    r_hat: torch.Tensor,  # shape: (B, N, N)
) -> torch.Tensor:
    """log det R + tr(R^-1 R_hat) per snapshot, up to a constant, (B,)."""
    factor = torch.linalg.cholesky(r)
    trace = torch.cholesky_solve(r_hat, factor).diagonal(dim1=1, dim2=2).real.sum(1)
    return 2 * factor.diagonal(dim1=1, dim2=2).real.log().sum(1) + trace


class Likelihood:
    """Negative log-likelihood per snapshot of a batch, with gradient and Fisher information."""

    def __init__(self, model: CovarianceModel, covariance: torch.Tensor) -> None:
        self.model, self.covariance = model, covariance

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (B,), gradient (B, D), curvature (B, D, D) at x for the items of the batch named by index."""
        r, dr = self.model.derivatives(x)
        r_hat = self.covariance[index]
        factor, info = torch.linalg.cholesky_ex(r)
        inverse = torch.cholesky_inverse(factor)
        ratio = inverse @ r_hat
        value = 2 * factor.diagonal(dim1=1, dim2=2).real.log().sum(1) + ratio.diagonal(dim1=1, dim2=2).real.sum(1)
        value = torch.where((info == 0) & torch.isfinite(value), value, torch.inf)
        m = (inverse[:, None] @ dr).flatten(2)  # R^-1 dR_i
        eye = torch.eye(r.shape[-1], dtype=r.dtype)
        gradient = (m @ (eye - ratio).mT.flatten(1)[..., None])[..., 0].real
        mt = m.reshape(dr.shape).mT.flatten(2)
        return value, gradient, (m @ mt.mT).real


def largest_steps(model: CovarianceModel, noise_known: bool) -> torch.Tensor:
    """Longest step per coordinate of x: 0.2 rad, 3 dB, 0.2 in a coefficient, 4 dB in the noise (0 when known)."""
    p, k = model.n_sources, model.spec.family.n_coefficients
    return torch.tensor([0.2] * p + [0.7] * p + [0.2] * (2 * k) + [0.0 if noise_known else 1.0], dtype=torch.float64)


def start_vector(
    model: CovarianceModel,
    batch: SnapshotBatch,
    azimuth: torch.Tensor,  # shape: (B, P), rad
    theta: torch.Tensor,  # shape: (B, 2 K)
) -> torch.Tensor:
    """x (B, D) at given directions and coupling, powers and noise by least squares and eigenvalues."""
    noise = batch.noise_power
    if noise is None:
        noise = noise_power_from_eigenvalues(batch.covariance, model.n_sources)
    response = model.spec.family.matrix(theta) @ steering(model.spec.positions, azimuth)
    power = source_powers(batch.covariance, response, noise).clamp_min(0.1 * noise[:, None])
    return model.pack(azimuth, power, theta, noise)


def error_bars(curvature: torch.Tensor, n_snapshots: int, free: torch.Tensor) -> torch.Tensor:
    """Standard deviations (B, D) from the inverse of L times the Fisher information; 0 where not free."""
    f = torch.nan_to_num(curvature[:, free][:, :, free], posinf=0.0)
    s = f.diagonal(dim1=1, dim2=2).clamp_min(1e-300).rsqrt()
    eye = torch.eye(f.shape[-1], dtype=f.dtype)
    inverse = torch.linalg.inv_ex(s[:, :, None] * f * s[:, None] + 1e-10 * eye)[0]  # the ridge bounds what is unseen
    out = torch.zeros(curvature.shape[:2], dtype=curvature.dtype)
    out[:, free] = (inverse.diagonal(dim1=1, dim2=2).clamp_min(0) / n_snapshots).sqrt() * s
    return out


def to_estimates(model: CovarianceModel, x: torch.Tensor, std: torch.Tensor) -> Estimates:
    """Estimates of x with error bars, directions ascending and wrapped into the sector's turn."""
    azimuth, power, theta, noise = model.unpack(x)
    if model.spec.full_circle:
        low, high = model.spec.sector_rad
        azimuth = low + torch.remainder(azimuth - low, high - low)
    azimuth, order = azimuth.sort(1)
    count = torch.full((len(x),), model.n_sources)
    bars = std[:, : model.n_sources].gather(1, order)
    return Estimates(azimuth, bars, power.gather(1, order), model.spec.family.matrix(theta), noise, count)


class MaximumLikelihood(Estimator):
    """Maximum likelihood from a RARE start; reaches the Cramér-Rao bound above the threshold."""

    name = "ml"
    summary = "Gaussian maximum likelihood over directions, powers, coupling and noise from a RARE start"

    def __init__(self, spec: ArraySpec | str, max_iterations: int = 40, extra_peaks: int = 2, starts: int = 3) -> None:
        """extra_peaks: RARE peaks tried beyond the P highest. starts: choices of P peaks that are descended from."""
        super().__init__(spec)
        self.rare, self.max_iterations = Rare(self.spec), max_iterations
        self.extra_peaks, self.starts = extra_peaks, starts

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise with error bars from the Fisher information.

        Raises EstimatorError when L <= P and the noise power is not given: the likelihood has no maximum then.
        """
        if batch.n_snapshots <= n_sources and batch.noise_power is None:
            raise EstimatorError(
                f"maximum likelihood of {n_sources} sources needs more than {n_sources} snapshots, found "
                f"{batch.n_snapshots}; give the noise power"
            )
        model = CovarianceModel(self.spec, n_sources)
        azimuth, theta = self.rare.candidates(batch.covariance, n_sources, batch.n_snapshots, self.extra_peaks)
        tries = azimuth.shape[1]
        wide = batch.select(torch.arange(batch.size).repeat_interleave(tries))
        x = start_vector(model, wide, azimuth.flatten(0, 1), theta.flatten(0, 1))
        value = negative_log_likelihood(model.covariance(x), wide.covariance).unflatten(0, (-1, tries))
        best = value.topk(min(self.starts, tries), 1, largest=False)[1]
        x = x.unflatten(0, (-1, tries)).gather(1, best[..., None].expand(-1, -1, x.shape[1])).flatten(0, 1)
        steps = largest_steps(model, batch.noise_power is not None)
        several = batch.select(torch.arange(batch.size).repeat_interleave(best.shape[1]))
        x, value = fisher_scoring(Likelihood(model, several.covariance), x, steps, self.max_iterations)
        least = value.unflatten(0, (-1, best.shape[1])).argmin(1)
        x = x.unflatten(0, (-1, best.shape[1]))[torch.arange(batch.size), least]
        curvature = Likelihood(model, batch.covariance)(x, torch.arange(batch.size))[2]
        return to_estimates(model, x, error_bars(curvature, batch.n_snapshots, steps > 0))
