"""The covariance fit of [Luo-Fung] eq. (34), unweighted and weighted.

    min || W^1/2 (R_hat - C A P A^H C^H - s2 I) W^1/2 ||_F^2   over directions, powers, coupling and noise

W = I is eq. (34) with powers and noise fitted as well (they assume unit, equal powers and no noise);
it is 3-4 times off the bound at high SNR, because errors of a sample covariance are neither equal nor independent.
W = R_hat^-1 (COMET, [Ottersten-Stoica-Roy]) whitens them and reaches the bound.
"""

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator, make_estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.ml import error_bars, largest_steps, to_estimates
from doamc.estimators.rare import Rare
from doamc.estimators.scoring import SCOUTING, Criterion, fisher_scoring
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.estimators.wide_search import WideSearch
from doamc.scenes.covariance import CovarianceModel
from doamc.scenes.gaussian_likelihood import fisher_information
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import ArraySpec

STARTS = ("rare", "music", "esprit")


class FitCriterion:
    """Weighted squared misfit of the covariance with gradient and Gauss-Newton curvature."""

    def __init__(self, model: CovarianceModel, covariance: torch.Tensor, weight: torch.Tensor) -> None:
        """covariance, weight: (B, N, N); the weight is W, Hermitian positive."""
        self.model, self.covariance, self.weight = model, covariance, weight

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value (B,), gradient (B, D), curvature (B, D, D) at x for the items of the batch named by index."""
        r, dr = self.model.derivatives(x)
        w = self.weight[index]
        misfit = w @ (self.covariance[index] - r)  # W E, so that the value is tr(W E W E)
        m = (w[:, None] @ dr).flatten(2)
        value = (misfit * misfit.mT).sum((1, 2)).real
        gradient = -2 * (m @ misfit.mT.flatten(1)[..., None])[..., 0].real
        mt = m.reshape(dr.shape).mT.flatten(2)
        return torch.where(torch.isfinite(value), value, torch.inf), gradient, 2 * (m @ mt.mT).real


class CovarianceFit(Estimator):
    """Eq. (34) by alternating minimisation: directions, then coupling, then powers and noise, in turn."""

    name = "fit"
    directional = True
    summary = "covariance fit of eq. (34), unweighted, by alternating minimisation"

    def __init__(self, spec: ArraySpec | str, start: str = "rare", sweeps: int = 25) -> None:
        """start: where directions begin, one of rare (with MUSIC under couplings), music, esprit (these from C = I)."""
        super().__init__(spec)
        if start not in STARTS:
            raise EstimatorError(f"start must be one of {', '.join(STARTS)}, found {start!r}")
        self.start, self.sweeps = start, sweeps
        self.rare, self.search = Rare(self.spec) if start == "rare" else None, WideSearch(self.spec)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise; error bars are the bound at the estimate, which is optimistic."""
        model = CovarianceModel(self.spec, n_sources)
        scale = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)[:, None, None]
        eye = torch.eye(self.spec.n_elements, dtype=torch.complex128)
        x = self._minimise(FitCriterion(model, batch.covariance, eye / scale), self._starts(model, batch), batch)
        free = largest_steps(model, batch.noise_power is not None) > 0
        fisher = fisher_information(*model.derivatives(x))
        return to_estimates(model, x, error_bars(fisher, batch.n_snapshots, free))

    def _starts(self, model: CovarianceModel, batch: SnapshotBatch) -> torch.Tensor:
        """Where to begin, (B, S, D)."""
        if self.rare is not None:
            azimuth, theta = self.rare.candidates(batch.eigen[1], model.n_sources, batch.n_snapshots)
        else:
            azimuth = make_estimator(self.start, self.spec)(batch, model.n_sources).azimuth[:, None]
            theta = torch.zeros(batch.size, 1, self.spec.family.n_parameters, dtype=torch.float64)
        x = start_vector(model, batch.covariance, noise_power_of(batch, model.n_sources), azimuth, theta)
        return x if self.rare is None else torch.cat([x, self.search.starts(model, batch)], 1)

    def _minimise(self, criterion: FitCriterion, start: torch.Tensor, batch: SnapshotBatch) -> torch.Tensor:
        """Lowest point (B, D) of alternating minimisation; the best of several starts (B, S, D) soon goes on alone."""
        b, s, d = start.shape
        p, place = criterion.model.n_sources, torch.arange(d)
        directions, coupling = place < p, (place >= 2 * p) & (place < d - 1)
        steps = largest_steps(criterion.model, batch.noise_power is not None)
        blocks = [steps * part for part in (directions, coupling, ~directions & ~coupling)]
        item = torch.arange(b).repeat_interleave(s)
        scouting = min(SCOUTING, self.sweeps)
        x, value = alternate(lambda v, i: criterion(v, item[i]), start.flatten(0, 1), blocks, scouting)
        x = x.unflatten(0, (b, s))[torch.arange(b), value.unflatten(0, (b, s)).argmin(1)]
        x, _ = alternate(criterion, x, blocks, self.sweeps - scouting)
        # an unweighted misfit hardly sees the noise power and may drive it to nothing
        if batch.noise_power is None:
            floor = 0.1 * noise_power_from_eigenvalues(batch.covariance, p)
            x[:, -1] = torch.maximum(x[:, -1], floor.log())
        return x


def alternate(
    criterion: Criterion,
    x: torch.Tensor,  # shape: (B, D)
    blocks: list[torch.Tensor],  # largest steps (D,) of each block, 0 outside it
    sweeps: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """x (B, D) after so many descents in each block in turn, and the criterion's value there, (B,)."""
    value = x.new_zeros(len(x))
    for _ in range(sweeps):
        for block in blocks:
            if block.any():
                x, value = fisher_scoring(criterion, x, block, max_iterations=3)
    return x, value


class WeightedCovarianceFit(Estimator):
    """Eq. (34) weighted by the inverse sample covariance (COMET), minimised jointly from RARE and MUSIC starts."""

    name = "comet"
    directional = True
    summary = "covariance fit of eq. (34) weighted by the inverse sample covariance; reaches the bound"

    def __init__(self, spec: ArraySpec | str) -> None:
        super().__init__(spec)
        self.rare, self.search = Rare(self.spec), WideSearch(self.spec)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise with error bars. Raises EstimatorError when L < N (no inverse)."""
        if batch.n_snapshots < batch.n_elements:
            raise EstimatorError(
                f"the weighted fit needs at least {batch.n_elements} snapshots, found {batch.n_snapshots}; use ml"
            )
        model = CovarianceModel(self.spec, n_sources)
        peaks = self.rare.candidates(batch.eigen[1], n_sources, batch.n_snapshots, extra_peaks=2)
        start = start_vector(model, batch.covariance, noise_power_of(batch, model.n_sources), *peaks)
        steps = largest_steps(model, batch.noise_power is not None)
        criterion = FitCriterion(model, batch.covariance, torch.linalg.inv(batch.covariance))
        x, _ = self.search(model, batch, criterion, start, steps, keep=3, likelihood=False)
        fisher = fisher_information(*model.derivatives(x))
        return to_estimates(model, x, error_bars(fisher, batch.n_snapshots, steps > 0))
