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
from doamc.scenes.covariance import CovarianceModel, CovarianceModels
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: how far outside a range costs half a nat: rad, nepers of power, share of a magnitude range
ANGLE_SOFTNESS, POWER_SOFTNESS, COEFFICIENT_SOFTNESS = math.radians(1.0), 0.15, 0.1

LEAST_SIZE = 1e-9  #: of a coefficient whose direction is asked for


class SoftPrior:
    """Penalty of x outside the prior's ranges, in nats, with gradient and Gauss-Newton curvature."""

    def __init__(self, model: CovarianceModel) -> None:
        spec, family, p = model.spec, model.spec.plain_family, model.n_sources
        self.model, self.family, self.full = model, family, spec.full_circle
        self.turns = family.phase_rad < math.pi
        louder, quieter = (v * math.log(10) / 10 for v in reversed(spec.power_db))
        gaps, separation = p if self.full else p - 1, math.radians(spec.min_separation_deg)
        walls = [] if self.full else [(*spec.sector_rad, ANGLE_SOFTNESS)] * p
        if p > 1:
            walls += [(separation, math.inf, ANGLE_SOFTNESS)] * gaps + [(quieter - louder, 0.0, POWER_SOFTNESS)] * p
        sizes = family.magnitude.tolist()
        walls += [(low, high, max(COEFFICIENT_SOFTNESS * (high - low), 1e-3)) for low, high in sizes]
        walls += [(-family.phase_rad, family.phase_rad, 0.1 * family.phase_rad)] * (len(sizes) if self.turns else 0)
        self.low, self.high, self.softness = torch.tensor(walls, dtype=torch.float64).unbind(1)

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Penalty (B,), gradient (B, D), curvature (B, D, D)."""
        value = self._values(x)
        residual = ((value - self.high).clamp_min(0) + (value - self.low).clamp_max(0)) / self.softness
        if not residual.any():  # inside, as most scenes are
            b, d = x.shape
            return residual.sum(1), torch.zeros_like(x), x.new_zeros(b, d, d)
        slope = self._slopes(x) / self.softness[:, None]
        held = torch.where((residual != 0)[..., None], slope, 0.0)
        return 0.5 * residual.square().sum(1), (residual[:, None] @ slope)[:, 0], held.mT @ slope

    def _values(self, x: torch.Tensor) -> torch.Tensor:
        """What has walls (B, R): azimuths, gaps between them, powers below the greatest one, coefficients."""
        p = self.model.n_sources
        parts = [] if self.full else [x[:, :p]]
        if p > 1:
            ascending = x[:, :p].sort(1)[0]
            gap = ascending.roll(-1, 1) - ascending
            power = x[:, p : 2 * p]
            parts += [wrap_rad(gap, 0.0) if self.full else gap[:, :-1], power - power.amax(1, keepdim=True)]
        c = self.family.complex(x[:, 2 * p : -1])
        return torch.cat([*parts, c.abs().clamp_min(LEAST_SIZE), *([c.angle()] if self.turns else [])], 1)

    def _slopes(self, x: torch.Tensor) -> torch.Tensor:
        """Derivatives (B, R, D) of the values by x."""
        p, eye = self.model.n_sources, torch.eye(x.shape[1], dtype=x.dtype)
        parts = [] if self.full else [eye[:p].expand(len(x), -1, -1)]
        if p > 1:
            order = x[:, :p].argsort(1)
            gap = eye[order.roll(-1, 1)] - eye[order]
            top = x[:, p : 2 * p].argmax(1, keepdim=True)
            parts += [gap if self.full else gap[:, :-1], eye[p : 2 * p] - eye[p + top]]
        c = self.family.complex(x[:, 2 * p : -1])
        size, k = c.abs().clamp_min(LEAST_SIZE), c.shape[1]
        re, im = eye[2 * p : 2 * p + k], eye[2 * p + k : -1]
        unit = c / size
        parts.append(unit.real[..., None] * re + unit.imag[..., None] * im)
        if self.turns:
            parts.append((unit.real[..., None] * im - unit.imag[..., None] * re) / size[..., None])
        return torch.cat(parts, 1)


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
