"""Diffusion over the coupling c_R, guided by the covariance likelihood; then MUSIC, ESPRIT or SBL.

[Luo-Fung] eqs. (18)-(19). The likelihood is that of the covariance of y, C A P A^H C^H + s2 I (their R_x0 has noise
that x0 lacks): log det R + tr R^-1 R_hat, whose quadratic part is the weighted Frobenius norm that (18) stands for.
Directions, powers and noise are profiled. The likelihood is far stiffer than the prior (its curvature grows with
L / s2), so the explicit step of eq. (19) would have to be far shorter than the noise schedule asks. Guidance is
implicit instead: with r_t^2 = 1 / (1 + alpha^2 / sigma^2) the variance of u_0 given u_t, the guided denoiser returns

    argmin over u_0 and the nuisance of   L f(u_0, nuisance) + |u_0 - E[u_0 | u_t]|^2 / (2 r_t^2)

which is the posterior mean for a locally quadratic f, and a sampler cannot tell it from a denoiser.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from doamc.arrays.steering import steering
from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import log_snr_grid
from doamc.diffusion.samplers import TableNoise, sample
from doamc.diffusion.samplers.ddim import Ddim
from doamc.diffusion.schedule import VPSchedule
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.ml import LikelihoodCriterion, check_identifiable, largest_steps
from doamc.estimators.powers import source_powers
from doamc.estimators.scoring import fisher_scoring
from doamc.estimators.soft_prior import SoftPrior
from doamc.estimators.starts import start_vector
from doamc.estimators.uncoupled import noise_power_of
from doamc.routes.corrected import CorrectedManifold
from doamc.routes.coupling_prior import CouplingScale, QuadratureDenoiser, open_denoiser
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

FINISHES = ("music", "esprit", "sbl")
#: steps of the implicit guidance at each noise level
SCORING_STEPS = 3


@dataclass(frozen=True)
class Pulled:
    """L times the likelihood plus the pull of theta towards a centre, over L: a criterion for `fisher_scoring`."""

    likelihood: LikelihoodCriterion
    item: torch.Tensor  # (M,), observation of each particle
    centre: torch.Tensor  # (M, 2 K)
    weight: torch.Tensor  # (2 K,), 1 / (L r_t^2 deviation^2)

    def __call__(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Value, gradient and curvature at x for the particles named by index."""
        value, gradient, curvature = self.likelihood(x, self.item[index])
        theta = slice(x.shape[1] - 1 - self.centre.shape[1], x.shape[1] - 1)
        away = x[:, theta] - self.centre[index]
        value = value + 0.5 * (self.weight * away.square()).sum(1)
        gradient[:, theta] += self.weight * away
        curvature[:, theta, theta] += torch.diag(self.weight)
        return value, gradient, curvature


@dataclass
class ImplicitGuidance:
    """The guided denoiser of u_0: at every noise level, the minimum over u_0 and the nuisance of the module's formula.

    x: (M, D), scenes of the particles as they are now; each call goes on from the last. longest: (D,), of a step.
    """

    denoiser: Denoiser
    scale: CouplingScale
    likelihood: LikelihoodCriterion
    item: torch.Tensor  # (M,), observation of each particle
    x: torch.Tensor
    longest: torch.Tensor
    n_snapshots: int

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """Mean of u_0 (M, 2 K) given u_t and the observations."""
        centre = self.scale.mean + self.scale.deviation * self.denoiser(x_t, alpha, sigma)
        return (self.moved(centre, alpha, sigma) - self.scale.mean) / self.scale.deviation

    def moved(self, centre: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """theta (M, 2 K) between the denoiser's, the centre, and what the likelihood wants; moves the scenes."""
        weight = (1 + (alpha / sigma) ** 2) / (self.n_snapshots * self.scale.deviation.square())
        pulled = Pulled(self.likelihood, self.item, centre, weight)
        self.x, _ = fisher_scoring(pulled, self.x, self.longest, SCORING_STEPS)
        return self.likelihood.model.unpack(self.x)[2]


class ExplicitGuidance(ImplicitGuidance):
    """Score plus gradient, eq. (13), written as a mean of u_0 with the identity Jacobian; the nuisance is profiled."""

    def moved(self, centre: torch.Tensor, alpha: float, sigma: float) -> torch.Tensor:
        """theta (M, 2 K): one step from the centre down the likelihood, of the length that eq. (19) asks for."""
        p = self.likelihood.model.n_sources
        self.x = torch.cat([self.x[:, : 2 * p], centre, self.x[:, -1:]], 1)
        nuisance = torch.cat([self.longest[: 2 * p], torch.zeros_like(centre[0]), self.longest[-1:]])
        self.x, _ = fisher_scoring(lambda v, i: self.likelihood(v, self.item[i]), self.x, nuisance, SCORING_STEPS)
        slope = self.likelihood(self.x, self.item)[1][:, 2 * p : -1]
        return centre - (sigma / alpha) ** 2 * self.n_snapshots * self.scale.deviation.square() * slope


class CouplingDiffusion(Estimator):
    """Particles of c_R descend by guided DDIM; the most probable one gives C, and ``finish`` the directions.

    What finds the coupling are 16 starts and the minimisation of likelihood and prior together. The diffusion around
    it, [Luo-Fung]'s section III, adds nothing: with the score of N(0, I) for the learnt one, or all of the chain in one
    level of noise, hits and coupling are the same within their standard errors.

    weights: of the learnt score (default: those of the array, else quadrature over its prior). particles: starts, each
    with the MUSIC directions of its own noise read as a coupling. steps: of the sampler. eta: 0 for DDIM, 1 for
    ancestral noise. finish: music, esprit (lines only) or sbl, on the manifold C a. exact: quadrature in any case.
    explicit: the explicit gradient of eq. (19) in place of the implicit step, for comparison; (19) has eta = 1.
    """

    name = "coupling-diffusion"
    summary = "16 couplings descended by likelihood and prior, then MUSIC; its diffusion adds nothing"
    fits_powers = True

    def __init__(
        self,
        spec: ArraySpec | str,
        weights: str | Path | None = None,
        particles: int = 16,
        steps: int = 8,
        eta: float = 0.0,
        finish: str = "music",
        seed: int = 0,
        exact: bool = False,
        explicit: bool = False,
    ) -> None:
        super().__init__(spec)
        if finish not in FINISHES:
            raise EstimatorError(f"finish must be one of {', '.join(FINISHES)}, found {finish!r}")
        self.denoiser = QuadratureDenoiser(self.spec) if exact else open_denoiser(self.spec, weights)
        self.scale, self.manifold = CouplingScale.of(self.spec.plain_family), CorrectedManifold(self.spec)
        self.particles, self.eta, self.finish, self.seed = particles, eta, finish, seed
        self.explicit = explicit
        self.grid = log_snr_grid(VPSchedule(), steps, -5.0, 7.0)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Coupling of the most probable particle, directions, powers and noise; no error bars.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        signal = torch.linalg.eigh(batch.covariance)[1][..., -min(n_sources, batch.n_snapshots) :]
        coupling = self.spec.plain_family.matrix(self.sample(batch, signal, n_sources))
        if self.finish == "sbl":
            azimuth = self.manifold.sparse(coupling, batch.covariance, batch.noise_power, n_sources)
        elif self.finish == "esprit":
            azimuth = self.manifold.esprit(coupling, signal)
        else:
            azimuth = self.manifold.music(coupling, signal, n_sources)
        noise = noise_power_of(batch, n_sources)
        power = source_powers(batch.covariance, coupling @ steering(self.spec.positions, azimuth), noise)
        count = torch.full((batch.size,), n_sources)
        return Estimates(azimuth, torch.full_like(azimuth, torch.nan), power, coupling, noise, count)

    def sample(self, batch: SnapshotBatch, signal: torch.Tensor, n_sources: int) -> torch.Tensor:
        """Parameters theta (B, 2 K) of the most probable particle of every observation."""
        model, family = CovarianceModel(self.spec, n_sources), self.spec.plain_family
        m = self.particles
        generator = torch.Generator().manual_seed(self.seed)
        u = torch.randn(m, 2 * family.n_coefficients, dtype=torch.float64, generator=generator)
        noise = None
        if self.eta > 0:
            table = torch.randn(len(self.grid), *u.shape, dtype=torch.float64, generator=generator)
            noise = TableNoise(table.repeat(1, batch.size, 1))
        theta = (self.scale.mean + self.scale.deviation * u).repeat(batch.size, 1)
        item = torch.arange(batch.size).repeat_interleave(m)
        azimuth = self.manifold.music(family.matrix(theta), signal[item], n_sources)
        known = None if batch.noise_power is None else batch.noise_power[item]
        level = noise_power_of(batch, n_sources)[item]
        x = start_vector(model, batch.covariance[item], level, azimuth[:, None], theta[:, None])[:, 0]
        likelihood = LikelihoodCriterion(model, batch.covariance)
        guidance = ExplicitGuidance if self.explicit else ImplicitGuidance
        guided = guidance(
            self.denoiser, self.scale, likelihood, item, x, largest_steps(model, known is not None), batch.n_snapshots
        )
        sample(guided, Ddim(self.eta), self.grid, noise, start=u.repeat(batch.size, 1), end="none")
        value = likelihood(guided.x, item)[0] + SoftPrior(model)(guided.x)[0] / batch.n_snapshots
        best = value.nan_to_num(torch.inf).unflatten(0, (batch.size, m)).argmin(1)
        theta = model.unpack(guided.x)[2]
        return theta.unflatten(0, (batch.size, m))[torch.arange(batch.size), best]
