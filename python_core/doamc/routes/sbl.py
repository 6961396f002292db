"""Sparse Bayesian learning with unknown coupling: block evidence on a grid, then off-grid evidence of the atoms."""

import math
from itertools import combinations

import torch

from doamc.arrays.steering import steering
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.ml import (
    LikelihoodCriterion,
    check_identifiable,
    error_bars,
    largest_steps,
    to_estimates,
)
from doamc.estimators.peaks import azimuth_grid
from doamc.estimators.powers import source_powers
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.estimators.wide_search import WideSearch
from doamc.routes.block_sbl import BlockState, block_spans, coefficients, learn, merged_peaks, prior_shape
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class SparseBayes(Estimator):
    """Directions as the strongest blocks of a grid whose common shape is the coupling; any geometry and family.

    step_deg: grid. iterations: of the block evidence. off_grid: whether the chosen atoms then leave the grid: the same
    evidence, with one atom a source, is raised over angles, powers, coupling and noise (at most 0.2 rad a
    step), which is the Gaussian likelihood from a sparse-Bayes start. extra_peaks, starts: choices tried there.
    """

    name = "sbl"
    summary = "block-sparse Bayesian learning: directions and coupling from the evidence, off the grid at the end"
    fits_powers = True

    def __init__(
        self,
        spec: ArraySpec | str,
        step_deg: float = 2.0,
        iterations: int = 60,
        off_grid: bool = True,
        extra_peaks: int = 1,
        starts: int = 3,
    ) -> None:
        super().__init__(spec)
        if step_deg <= 0 or iterations < 1:
            raise EstimatorError(f"expected step_deg > 0 and iterations >= 1, found {step_deg} and {iterations}")
        self.grid = azimuth_grid(self.spec, step_deg)
        response = steering(self.spec.positions, self.grid).to(torch.complex128)
        self.spans = block_spans(self.spec.plain_family, response.mT)[None]
        self.iterations, self.off_grid, self.search = iterations, off_grid, WideSearch(self.spec)
        self.extra_peaks, self.starts = extra_peaks, starts

    def spectrum(self, batch: SnapshotBatch) -> BlockState:
        """Powers of the grid directions, block shape and noise power; needs no number of sources."""
        shape = prior_shape(self.spec.plain_family)
        return learn(self.spans, batch.covariance, shape, batch.noise_power, self.iterations)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise; error bars from the curvature of the evidence, off the grid.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        state = self.spectrum(batch)
        count = n_sources + (self.extra_peaks if self.off_grid else 0)
        peaks = merged_peaks(
            state.gamma, self.grid, count, math.radians(self.spec.min_separation_deg), self.spec.full_circle
        )
        theta = coefficients(self.spec.plain_family, state.shape)
        model = CovarianceModel(self.spec, n_sources)
        if not self.off_grid:
            noise = state.noise if batch.noise_power is None else batch.noise_power
            azimuth = peaks.sort(1)[0]
            v = self.spec.plain_family.matrix(theta) @ steering(self.spec.positions, azimuth)
            power = source_powers(batch.covariance, v, noise)
            x = model.pack(azimuth, power, theta, noise)
            return to_estimates(model, x, torch.full_like(x, torch.nan))
        azimuth = peaks[:, torch.tensor(list(combinations(range(count), n_sources)))].sort(2)[0]
        start = start_vector(model, batch.covariance, noise_power_of(batch, model.n_sources), azimuth,
                             theta[:, None].expand(-1, azimuth.shape[1], -1))  # fmt: skip
        steps = largest_steps(model, batch.noise_power is not None)
        likelihood = LikelihoodCriterion(model, batch.covariance)
        x, curvature = self.search(model, batch, likelihood, start, steps, self.starts)
        return to_estimates(model, x, error_bars(curvature, batch.n_snapshots, steps > 0))
