"""Maximum a posteriori: the Gaussian likelihood with the prior of the array's specification.

Below the threshold the bare likelihood runs off to coupling matrices that no antenna has; the walls of `SoftPrior` keep
it where the truth can be.
"""

import torch

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.ml import (
    SETTLED,
    LikelihoodCriterion,
    check_identifiable,
    error_bars,
    largest_steps,
    to_estimates,
)
from doamc.estimators.rare import Rare
from doamc.estimators.soft_prior import SoftPrior
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.estimators.wide_search import WideSearch
from doamc.scenes.covariance import CovarianceModel, CovarianceModels
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class PosteriorCriterion:
    """Negative log posterior per snapshot: likelihood plus soft prior over L."""

    def __init__(self, model: CovarianceModel, covariance: torch.Tensor, n_snapshots: int) -> None:
        self.likelihood, self.prior = LikelihoodCriterion(model, covariance), SoftPrior(model)
        self.n_snapshots = n_snapshots

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (B,), gradient (B, D), curvature (B, D, D) at x for the items of the batch named by index."""
        parts = zip(self.likelihood(x, index), self.prior(x), strict=True)
        value, gradient, curvature = (a + b / self.n_snapshots for a, b in parts)
        return value, gradient, curvature


def rare_starts(
    model: CovarianceModel,
    rare: Rare,
    batch: SnapshotBatch,
    covariance: torch.Tensor,  # shape: (B, N, N), whose subspace is searched
    extra_peaks: int,
) -> torch.Tensor:
    """Starting points (B, S, D) from the RARE peaks of a covariance, coupling pulled into the prior's ranges."""
    vectors = batch.eigen[1] if covariance is batch.covariance else torch.linalg.eigh(covariance)[1]
    azimuth, theta, *tilt = rare.candidates(vectors, model.n_sources, batch.n_snapshots, extra_peaks)
    family = model.spec.plain_family if model.series is None else model.series
    theta = family.clipped(theta)
    return start_vector(model, batch.covariance, noise_power_of(batch, model.n_sources), azimuth, theta, *tilt)


class MaximumAPosteriori(Estimator):
    """Likelihood with the specification's prior, from RARE starts, and from others where these mislead."""

    name = "map"
    elevations = directional = True
    summary = "maximum a posteriori: the likelihood with the array's own prior, from RARE and MUSIC starts"
    fits_powers = True

    def __init__(self, spec: ArraySpec | str, max_iterations: int = 30, extra_peaks: int = 2, starts: int = 4) -> None:
        """extra_peaks: RARE peaks tried beyond the P highest. starts: choices of P peaks that are descended from."""
        super().__init__(spec)
        self.models = CovarianceModels(self.spec)
        self.rare, self.search, self.max_iterations = Rare(self.spec), WideSearch(self.spec), max_iterations
        self.extra_peaks, self.starts = extra_peaks, starts

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise; error bars from the curvature of the posterior.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        model = self.models[n_sources]
        start = rare_starts(model, self.rare, batch, batch.covariance, self.extra_peaks)
        return most_probable(self.search, model, batch, start, self.starts, self.max_iterations)


def most_probable(
    search: WideSearch,
    model: CovarianceModel,
    batch: SnapshotBatch,
    start: torch.Tensor,  # shape: (B, S, D)
    keep: int,
    max_iterations: int,
) -> Estimates:
    """Estimates at the most probable scene reached from several starts; error bars from the curvature there."""
    criterion = PosteriorCriterion(model, batch.covariance, batch.n_snapshots)
    steps = largest_steps(model, batch.noise_power is not None)
    tolerance = SETTLED / batch.n_snapshots
    x, curvature = search(model, batch, criterion, start, steps, keep, max_iterations, tolerance)
    return to_estimates(model, x, error_bars(curvature, batch.n_snapshots, steps > 0))
