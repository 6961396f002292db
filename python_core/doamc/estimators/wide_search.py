"""A descent that looks again, and farther, where it ended in the wrong place.

Rank reduction starts a descent in the wrong place now and then, and the likelihood tells so. Of all covariances with
N - P equal eigenvalues the likeliest has those of R_hat itself, l_1 >= ... >= l_N ([Anderson]):

    F_0 = sum_{i<=P} (log l_i + l_i / l_i) + (N - P) log s2 + sum_{i>P} l_i / s2,    s2 = mean of the last N - P

per snapshot, up to the sign; signal eigenvalues are at least s2 where that is known. A scene is one of these, with
fewer parameters; at the right one L (F - F_0) is half a chi-squared variable of as many degrees of freedom as it has
fewer ([Wilks]). In a wrong place it is larger by far. Only there the search goes on, from MUSIC under couplings of the
prior, and the lower end counts, so that most estimates take no longer than without it.
"""

import math
from functools import cached_property

import numpy as np
import torch

from doamc.estimators.coupled_music import CoupledMusic
from doamc.estimators.scoring import Criterion, Evaluation, best_descent
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

COUPLINGS = 16  #: draws of the prior beside C = I: three times as many found no more places
STEP_DEG = 0.5  #: of MUSIC's grid
KEPT = 4  #: of these starts, the likeliest, that are descended from
PART = 32  #: observations searched at once: memory is bounded
#: normal deviate that right places exceed once in ten times, and are searched again in vain
DEVIATE = 1.2816


class WideSearch:
    """`best_descent`, and another from MUSIC under couplings of the prior for observations that need it."""

    def __init__(self, spec: ArraySpec) -> None:
        self.spec = spec

    def __call__(
        self,
        model: CovarianceModel,
        batch: SnapshotBatch,
        criterion: Criterion,
        start: torch.Tensor,  # shape: (B, S, D)
        largest_step: torch.Tensor,  # shape: (D,)
        keep: int,
        max_iterations: int = 40,
        tolerance: float = 1e-7,
        likelihood: bool = True,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Lowest point x (B, D) reached, and the curvature (B, D, D) of the criterion there; see `best_descent`.

        likelihood: whether the criterion is F, with or without a penalty; F is computed where it is not.
        """
        x, value, curvature = best_descent(criterion, start, largest_step, keep, max_iterations, tolerance)
        f = value if likelihood else negative_log_likelihood(model, batch.covariance, x)
        excess = f - free_minimum(batch.eigen[0], noise_power_of(batch, model.n_sources), model.n_sources)
        doubtful = (batch.n_snapshots * excess > largest_misfit(model)).nonzero()[:, 0]
        for index in doubtful.split(PART) if len(doubtful) else ():  # no items are split into one empty part

            def own(v: torch.Tensor, i: torch.Tensor, index: torch.Tensor = index) -> Evaluation:
                return criterion(v, index[i])

            again = self.starts(model, batch, index)
            found, level, bend = best_descent(own, again, largest_step, KEPT, max_iterations, tolerance)
            better = level < value[index]
            x[index[better]], curvature[index[better]] = found[better], bend[better]
        return x, curvature

    def starts(self, model: CovarianceModel, batch: SnapshotBatch, index: torch.Tensor | None = None) -> torch.Tensor:
        """The likeliest `KEPT` starting vectors (B, S, D) of MUSIC under C = I and couplings of the prior.

        index: of some of the observations; all where left out.
        """
        every = torch.arange(len(batch.covariance)) if index is None else index
        return torch.cat([self._starts(model, batch, part) for part in every.split(PART)])

    def _starts(self, model: CovarianceModel, batch: SnapshotBatch, index: torch.Tensor) -> torch.Tensor:
        p, b = model.n_sources, len(index)
        covariance, noise = batch.covariance[index], noise_power_of(batch, p)[index]
        signal = batch.eigen[1][index][..., -min(p, batch.n_snapshots) :]
        if self.spec.elevated:
            azimuth, *tilt = self._music.on_sphere(signal, p)
        else:
            azimuth, tilt = self._music.directions(signal, p), []
        x = start_vector(model, covariance, noise, azimuth, self._music.theta.expand(b, -1, -1), *tilt)
        s = x.shape[1]
        value = negative_log_likelihood(model, covariance.repeat_interleave(s, 0), x.flatten(0, 1))
        best = value.unflatten(0, (b, s)).topk(min(KEPT, s), 1, largest=False)[1]
        return x.gather(1, best[..., None].expand(-1, -1, x.shape[2]))

    @cached_property
    def _music(self) -> CoupledMusic:
        family = self.spec.family
        drawn = family.draw((COUPLINGS,), torch.Generator().manual_seed(0))
        return CoupledMusic(self.spec, torch.cat([torch.zeros_like(drawn[:1]), drawn]), STEP_DEG)


def largest_misfit(model: CovarianceModel) -> float:
    """Nats that L (F - F_0) exceeds once in ten times at the right place (chi-squared by [Wilson-Hilferty])."""
    n, p = model.spec.n_elements, model.n_sources
    free = 2 * n * p - p * p + 1
    degrees = max(free - model.size, 1)
    spread = 2 / (9 * degrees)
    return 0.5 * degrees * (1 - spread + DEVIATE * math.sqrt(spread)) ** 3


def negative_log_likelihood(
    model: CovarianceModel,
    covariance: torch.Tensor,  # shape: (B, N, N)
    x: torch.Tensor,  # shape: (B, D)
) -> torch.Tensor:
    """log det R(x) + tr(R(x)^-1 R_hat), (B,); infinite where R(x) is singular."""
    factor, info = torch.linalg.cholesky_ex(model.covariance(x))
    ratio = torch.cholesky_solve(covariance, factor)
    value = 2 * factor.diagonal(dim1=1, dim2=2).real.log().sum(1) + ratio.diagonal(dim1=1, dim2=2).real.sum(1)
    return torch.where(info == 0, value, torch.inf)


def free_minimum(
    eigenvalues: torch.Tensor,  # shape: (B, N), of the covariance, ascending
    noise_power: torch.Tensor,  # shape: (B,), known or found (`noise_power_of`)
    n_sources: int,
) -> torch.Tensor:
    """F_0 of the module, (B,): no scene of P sources has a lower negative log-likelihood per snapshot."""
    values, noise = eigenvalues.numpy(), noise_power.numpy()
    signal, small = values[:, -n_sources:], values[:, :-n_sources]
    large = np.maximum(signal, noise[:, None])
    rest = small.sum(1) / noise + (signal / large).sum(1)
    return torch.from_numpy(np.log(large).sum(1) + small.shape[1] * np.log(noise) + rest)
