"""Expectation-maximisation, [Luo-Fung] eq. (17): the clean snapshots are the data that is missing.

What eq. (17) can mean. Read literally, log p(y | x0, Theta) does not depend on directions or coupling once
x0 = C A s is given, and a posterior of x0 under Theta_i lies in the range of C_i A_i, which no M-step on x0 alone
could leave. The gradient printed below (17), with mean mu(Theta) = C A, says what is meant: the complete data are y
and the waveforms s, of which x0 = C A s is the image. Then, per snapshot,

    E:  s | y ~ CN(G y, S),   S = (P^-1 + V^H V / s2)^-1,   G = S V^H / s2,   V = C A         (the Wiener posterior)
    M:  minimise  Q = N log s2 + E|y - V s|^2 / s2 + sum_p (log p_p + E|s_p|^2 / p_p)  [- log p(Theta) / L]

The first term of (17) needs the noise covariance, as here; E takes exact moments or ``samples`` draws a snapshot.

[Luo-Fung] section II.D draws x0 by guided diffusion, whose prior knows nothing of Theta: with ``draws=diffusion`` the
draws are those of `SnapshotDdim`, made once, and the cycle above runs on them in place of y.
"""

from collections.abc import Callable

import torch

from doamc.denoising.snapshot_ddim import SnapshotDdim
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.map import PosteriorCriterion, rare_starts
from doamc.estimators.ml import (
    LikelihoodCriterion,
    check_identifiable,
    error_bars,
    largest_steps,
    to_estimates,
)
from doamc.estimators.rare import Rare
from doamc.estimators.scoring import Criterion, fisher_scoring
from doamc.estimators.soft_prior import SoftPrior
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.estimators.wide_search import WideSearch
from doamc.routes.complete_data import CompleteData, expectation
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec
from doamc.text import shown

#: scoring steps in an M-step (one: generalised EM); longest extrapolation; fall of the objective that ends the descent
M_STEPS, LONGEST, TOLERANCE = 1, 40.0, 1e-7
#: where the draws of the E-step come from: the Wiener posterior of the scene, or diffusion of single snapshots
DRAWS = ("scene", "diffusion")


class ExpectationMaximisation(Estimator):
    """EM of eq. (17) from RARE and MUSIC starts, with SQUAREM extrapolation; ends where `ml` (near where `map`) does.

    prior: whether log p(Theta) is in the M-step. samples: draws a snapshot in the E-step; None for exact moments
    (then the likelihood never falls), or eight of diffusion. draws: one of `DRAWS`. iterations: cycles of three EM
    maps. starts: choices of RARE peaks followed.
    """

    name = "em"
    summary = "expectation-maximisation over the clean snapshots, M-step by autograd, from RARE and MUSIC starts"
    fits_powers = True

    def __init__(
        self,
        spec: ArraySpec | str,
        prior: bool = False,
        samples: int | None = None,
        iterations: int = 15,
        starts: int = 3,
        extra_peaks: int = 2,
        seed: int = 0,
        draws: str = "scene",
    ) -> None:
        super().__init__(spec)
        if draws not in DRAWS:
            raise EstimatorError(f"draws must be one of {', '.join(DRAWS)}, found {shown(draws)}")
        if samples is not None and samples < 1:
            raise EstimatorError(f"samples must be at least 1, or None for exact moments, found {samples}")
        self.rare, self.search = Rare(self.spec), WideSearch(self.spec)
        self.diffusion = SnapshotDdim(self.spec, samples=samples or 8, seed=seed) if draws == "diffusion" else None
        self.prior, self.samples, self.seed = prior, None if self.diffusion else samples, seed
        self.iterations, self.starts, self.extra_peaks = iterations, starts, extra_peaks

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise; error bars from the curvature of the observed likelihood.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        if self.diffusion is not None:
            clean, covariance = self.diffusion.denoise(batch, noise_power_of(batch, n_sources))
            batch = SnapshotBatch(clean, covariance, batch.n_snapshots)
        model = CovarianceModel(self.spec, n_sources)
        if self.prior:
            start = rare_starts(model, self.rare, batch, batch.covariance, self.extra_peaks)
        else:
            peaks = self.rare.candidates(batch.eigen[1], n_sources, batch.n_snapshots, self.extra_peaks)
            start = start_vector(model, batch.covariance, noise_power_of(batch, model.n_sources), *peaks)
        start = torch.cat([start, self.search.starts(model, batch)], 1)
        s = start.shape[1]
        item = torch.arange(batch.size).repeat_interleave(s)
        observed: Criterion = LikelihoodCriterion(model, batch.covariance)
        if self.prior:
            observed = PosteriorCriterion(model, batch.covariance, batch.n_snapshots)
        first = observed(start.flatten(0, 1), item)[0].unflatten(0, (-1, s))
        best = first.topk(min(self.starts, s), 1, largest=False)[1]
        x = start.gather(1, best[..., None].expand(-1, -1, start.shape[2])).flatten(0, 1)
        item = torch.arange(batch.size).repeat_interleave(best.shape[1])
        x, value = self.descend(model, batch.select(item), x, lambda v: observed(v, item)[0])
        least = value.unflatten(0, (batch.size, -1)).argmin(1)
        x = x.unflatten(0, (batch.size, -1))[torch.arange(batch.size), least]
        free = largest_steps(model, batch.noise_power is not None) > 0
        bars = error_bars(observed(x, torch.arange(batch.size))[2], batch.n_snapshots, free)
        return to_estimates(model, x, bars)

    def descend(
        self,
        model: CovarianceModel,
        batch: SnapshotBatch,
        x: torch.Tensor,  # shape: (B, D)
        objective: Callable[[torch.Tensor], torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """EM from x; returns x (B, D) and its observed negative log-likelihood (or posterior) a snapshot, (B,).

        Plain EM crawls when the waveforms are nearly as uncertain as the response. SQUAREM ([Varadhan-Roland], scheme
        S3) extrapolates from two maps, applies a third, and is kept where the objective did not rise.
        """
        step = largest_steps(model, batch.noise_power is not None)
        prior = SoftPrior(model) if self.prior else None
        normal = None
        if self.samples:
            generator = torch.Generator().manual_seed(self.seed)
            shape = (self.samples, model.n_sources, batch.n_snapshots)
            normal = torch.randn(shape, dtype=torch.complex128, generator=generator)

        def once(v: torch.Tensor) -> torch.Tensor:
            moments = expectation(model, v, batch, normal)
            return fisher_scoring(CompleteData(model, moments, prior, batch.n_snapshots), v, step, M_STEPS)[0]

        value = objective(x)
        done = torch.zeros_like(value, dtype=torch.bool)  # a finished item stays where it is, whatever the others do
        for _ in range(self.iterations):
            one = once(x)
            two = once(one)
            r, bend = one - x, two - 2 * one + x
            length = (r.norm(dim=1) / bend.norm(dim=1).clamp_min(1e-12)).clamp(1.0, LONGEST)[:, None]
            leap_by = torch.maximum(torch.minimum(2 * length * r + length**2 * bend, 3 * step), -3 * step)
            far = once(x + leap_by)
            plain, leap = objective(two), objective(far)
            better = leap < plain
            new = torch.where(better[:, None], far, two)
            fallen = value - torch.where(better, leap, plain)
            x, value = torch.where(done[:, None], x, new), torch.where(done, value, value - fallen)
            done |= (fallen < TOLERANCE) & (self.samples is None)
            if bool(done.all()):
                break
        return x, value
