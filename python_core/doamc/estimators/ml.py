"""Gaussian maximum likelihood over directions, powers, coupling and noise, by damped Fisher scoring.

    minimise  log det R(x) + tr(R(x)^-1 R_hat)       gradient_i = tr(R^-1 (R - R_hat) R^-1 dR_i)

The curvature is the Fisher information, so the inverse at the end gives the error bars.
"""

from dataclasses import replace

import numpy as np
import torch

from doamc.angles import wrap_rad
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.rare import Rare
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.estimators.wide_search import WideSearch
from doamc.likelihood.covariance_loops import covariance_loops
from doamc.scenes.covariance import CovarianceModel, CovarianceModels
from doamc.scenes.gaussian_likelihood import likelihood_derivatives
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: a descent ends when a step promises less than so many nats: 0.14 standard deviations, and that step is taken
SETTLED = 1e-2


class LikelihoodCriterion:
    """Negative log-likelihood per snapshot of a batch, with gradient and Fisher information."""

    def __init__(self, model: CovarianceModel, covariance: torch.Tensor) -> None:
        self.model, self.covariance = model, covariance
        self._loops = covariance_loops(model, covariance.device)

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (B,), gradient (B, D), curvature (B, D, D) at x for the items of the batch named by index."""
        if self._loops is None or x.requires_grad:
            return self.by_tensors(x, index)
        return self._loops(self.covariance.resolve_conj().numpy(), index.numpy(), x.numpy())

    def by_tensors(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The same by tensor operations: the reference of the compiled loops."""
        return likelihood_derivatives(*self.model.derivatives(x), self.covariance[index])


def largest_steps(model: CovarianceModel, noise_known: bool) -> torch.Tensor:
    """Longest step per coordinate of x: 0.2 rad, 3 dB, 0.2 in a coefficient, 4 dB in the noise (0 when known).

    In a coefficient over its deviation, as of a series over direction, 2.
    """
    p, k, relative = model.n_sources, model.spec.family.n_parameters, model.spec.family.n_normal
    relative = relative if model.series is not None else 0
    return torch.tensor(
        [0.2] * model.first_power + [0.7] * p + [2.0] * relative + [0.2] * (k - relative)
        + [0.0 if noise_known else 1.0],
        dtype=torch.float64,
    )  # fmt: skip


@np.errstate(all="ignore")  # a bound that overflows is no number
def error_bars(curvature: torch.Tensor, n_snapshots: int, free: torch.Tensor) -> torch.Tensor:
    """Standard deviations (B, D) from the inverse of L times the Fisher information; 0 where not free."""
    place = np.flatnonzero(free)
    f = curvature.numpy()[:, place[:, None], place]
    if not np.isfinite(f).all():
        f = np.nan_to_num(f, posinf=0.0)
    s = 1 / np.sqrt(np.maximum(f.diagonal(axis1=1, axis2=2), 1e-300))
    scaled = s[:, :, None] * f * s[:, None] + 1e-10 * np.eye(len(place))  # the ridge bounds what is unseen
    inverse = np.linalg.inv(scaled).diagonal(axis1=1, axis2=2)
    out = np.zeros(curvature.shape[:2])
    out[:, place] = np.sqrt(np.maximum(inverse, 0) / n_snapshots) * s
    return torch.from_numpy(out)


def to_estimates(model: CovarianceModel, x: torch.Tensor, std: torch.Tensor) -> Estimates:
    """Estimates of x with error bars, directions ascending and wrapped into the sector's turn."""
    p, first, found = model.n_sources, model.first_power, x.numpy()
    angle = found[:, :p]
    if model.spec.full_circle:
        angle = wrap_rad(angle, model.spec.sector_rad[0])
    item, order = np.arange(len(found))[:, None], angle.argsort(1)
    values = angle[item, order], std.numpy()[item, order], np.exp(found[item, first + order]), np.exp(found[:, -1])
    azimuth, bars, power, noise = (torch.from_numpy(v) for v in values)
    theta, elevation, place = x[:, first + p : -1], model.elevation(x), torch.from_numpy(order)
    e = Estimates(azimuth, bars, power, model.coupling(theta), noise, torch.full((len(x),), p))
    tilt = None if elevation is None else elevation.gather(1, place)
    e = e.having(coupling_by_direction=model.by_direction(azimuth, theta, tilt))
    if elevation is None:
        return e
    bars = (std[:, p:first] / elevation.cos()).gather(1, place)  # of their sines so far
    return replace(e, elevation=elevation.gather(1, place), elevation_std=bars)


def check_identifiable(batch: SnapshotBatch, n_sources: int) -> None:
    """Raise EstimatorError when L <= P and the noise power is not given: the likelihood has no maximum then."""
    if batch.n_snapshots <= n_sources and batch.noise_power is None:
        raise EstimatorError(
            f"{n_sources} sources need more than {n_sources} snapshots, found {batch.n_snapshots}; "
            f"give the noise power, or collect more"
        )


class MaximumLikelihood(Estimator):
    """Maximum likelihood from RARE starts, and from others where these mislead; at the bound above the threshold."""

    name = "ml"
    elevations = directional = True
    summary = "Gaussian maximum likelihood over directions, powers, coupling and noise from RARE and MUSIC starts"
    fits_powers = True

    def __init__(self, spec: ArraySpec | str, max_iterations: int = 40, extra_peaks: int = 2, starts: int = 3) -> None:
        """extra_peaks: RARE peaks tried beyond the P highest. starts: choices of P peaks that are descended from."""
        super().__init__(spec)
        self.models = CovarianceModels(self.spec)
        self.rare, self.search, self.max_iterations = Rare(self.spec), WideSearch(self.spec), max_iterations
        self.extra_peaks, self.starts = extra_peaks, starts

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise with error bars from the Fisher information.

        Raises EstimatorError when L <= P and the noise power is not given: the likelihood has no maximum then.
        """
        check_identifiable(batch, n_sources)
        model = self.models[n_sources]
        peaks = self.rare.candidates(batch.eigen[1], n_sources, batch.n_snapshots, self.extra_peaks)
        start = start_vector(model, batch.covariance, noise_power_of(batch, model.n_sources), *peaks)
        steps = largest_steps(model, batch.noise_power is not None)
        likelihood = LikelihoodCriterion(model, batch.covariance)
        tolerance = SETTLED / batch.n_snapshots
        x, curvature = self.search(model, batch, likelihood, start, steps, self.starts, self.max_iterations, tolerance)
        return to_estimates(model, x, error_bars(curvature, batch.n_snapshots, steps > 0))
