"""Maximum a posteriori: the Gaussian likelihood with the prior of the array's specification.

The prior is uniform inside ranges (sector, least separation, powers, coefficient magnitudes and phases). Its walls are
made soft, a quadratic penalty outside each range, so that Fisher scoring can lean on them. Below the threshold the
bare likelihood runs off to coupling matrices that no antenna has; the walls keep it where the truth can be.
"""

import math

import torch

from doamc.angles import wrap_rad
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.ml import (
    SETTLED,
    LikelihoodCriterion,
    check_identifiable,
    error_bars,
    largest_steps,
    to_estimates,
)
from doamc.estimators.rare import Rare
from doamc.estimators.starts import start_vector
from doamc.estimators.wide_search import WideSearch
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: how far outside a range costs half a nat: rad, nepers of power, share of a magnitude range
ANGLE_SOFTNESS, POWER_SOFTNESS, COEFFICIENT_SOFTNESS = math.radians(1.0), 0.15, 0.1


class SoftPrior:
    """Penalty of x outside the prior's ranges, in nats, with gradient and Gauss-Newton curvature."""

    def __init__(self, model: CovarianceModel) -> None:
        spec, family = model.spec, model.spec.plain_family
        self.model, self.family = model, family
        self.sector, self.full = spec.sector_rad, spec.full_circle
        self.separation = math.radians(spec.min_separation_deg)
        self.power = tuple(v * math.log(10) / 10 for v in spec.power_db)
        self.low, self.high = family.magnitude.unbind(1)
        self.softness = (COEFFICIENT_SOFTNESS * (self.high - self.low)).clamp_min(1e-3)

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Penalty (B,), gradient (B, D), curvature (B, D, D)."""
        residual, slope = self._residuals(x)
        return (
            0.5 * residual.square().sum(1),
            torch.einsum("br,brd->bd", residual, slope),
            torch.einsum("br,brd,bre->bde", (residual != 0).to(x.dtype), slope, slope),
        )

    def _residuals(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Excess beyond each wall over its softness (B, R), and its derivative by x (B, R, D)."""
        p, eye = self.model.n_sources, torch.eye(x.shape[1], dtype=x.dtype)
        rows, slopes = [], []

        def wall(value: torch.Tensor, low: float, high: float, softness: float, slope: torch.Tensor) -> None:
            rows.append(_excess(value, low, high) / softness)
            slopes.append(slope.expand(len(x), -1, -1) / softness)

        if not self.full:
            wall(x[:, :p], *self.sector, ANGLE_SOFTNESS, eye[:p])
        if p > 1:
            order = x[:, :p].argsort(1)
            after, before = order.roll(-1, 1), order
            gap = x.gather(1, after) - x.gather(1, before)
            if self.full:
                gap = wrap_rad(gap, 0.0)
            else:
                gap, after, before = gap[:, :-1], after[:, :-1], before[:, :-1]
            wall(gap, self.separation, math.inf, ANGLE_SOFTNESS, eye[after] - eye[before])
            top = x[:, p : 2 * p].argmax(1, keepdim=True)
            below = x[:, p : 2 * p] - x[:, p : 2 * p].gather(1, top)
            wall(below, self.power[0] - self.power[1], 0.0, POWER_SOFTNESS, eye[p : 2 * p] - eye[p + top])
        c = self.family.complex(x[:, 2 * p : -1])
        size, k = c.abs().clamp_min(1e-9), c.shape[1]
        re, im = eye[2 * p : 2 * p + k], eye[2 * p + k : -1]
        unit = c / size
        radial = unit.real[..., None] * re + unit.imag[..., None] * im
        rows.append(_excess(size, self.low, self.high) / self.softness)
        slopes.append(radial / self.softness[:, None])
        if self.family.phase_rad < math.pi:
            turn = (unit.real[..., None] * im - unit.imag[..., None] * re) / size[..., None]
            wall(c.angle(), -self.family.phase_rad, self.family.phase_rad, 0.1 * self.family.phase_rad, turn)
        return torch.cat(rows, 1), torch.cat(slopes, 1)


def _excess(value: torch.Tensor, low: torch.Tensor | float, high: torch.Tensor | float) -> torch.Tensor:
    return (value - high).clamp_min(0) + (value - low).clamp_max(0)


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
    azimuth, theta = rare.candidates(covariance, model.n_sources, batch.n_snapshots, extra_peaks)
    theta = model.spec.plain_family.clipped(theta)
    return start_vector(model, batch.covariance, batch.noise_power, azimuth, theta)


class MaximumAPosteriori(Estimator):
    """Likelihood with the specification's prior, from RARE starts, and from others where these mislead."""

    name = "map"
    summary = "maximum a posteriori: the likelihood with the array's own prior, from RARE and MUSIC starts"

    def __init__(self, spec: ArraySpec | str, max_iterations: int = 30, extra_peaks: int = 2, starts: int = 4) -> None:
        """extra_peaks: RARE peaks tried beyond the P highest. starts: choices of P peaks that are descended from."""
        super().__init__(spec)
        self.rare, self.search, self.max_iterations = Rare(self.spec), WideSearch(self.spec), max_iterations
        self.extra_peaks, self.starts = extra_peaks, starts

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise; error bars from the curvature of the posterior.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        model = CovarianceModel(self.spec, n_sources)
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
