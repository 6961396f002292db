"""Method ``posterior``: estimates at the Bayes limit, with calibrated intervals."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from doamc.diffusion import load_checkpoint
from doamc.diffusion.checkpoint import find_weights
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimates, Estimator
from doamc.posterior.correlation import effective_snapshots
from doamc.posterior.features import FeatureMap
from doamc.posterior.infer import Engine, Options, Samples
from doamc.posterior.level import prior_gain
from doamc.posterior.net import NetConfig, ScoreNet
from doamc.posterior.state import make_layout
from doamc.posterior.summary import summarise
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

KIND = "posterior"


@dataclass
class PosteriorEstimates(Estimates):
    """Estimates with what only a posterior gives.

    interval: (B, P, 2) rad, 90 %. share: (B,) posterior probability of the reported mode. coefficient_std: (B, K)
    spread of the coupling coefficients. effective_snapshots: (B,).
    """

    interval: torch.Tensor | None = None
    share: torch.Tensor | None = None
    coefficient_std: torch.Tensor | None = None
    effective_snapshots: torch.Tensor | None = None


class Posterior(Estimator):
    """A score network over scenes proposes; the exact likelihood weighs, localises and corrects.

    weights: checkpoint; the shipped one of the array where left out. seed: of all random tables (same seed, same
    result; an observation's result does not depend on the others of its batch).
    """

    name = "posterior"
    summary = "posterior over scenes: learned score, exact likelihood; medians and calibrated 90 % intervals"

    def __init__(
        self,
        spec: ArraySpec | str,
        device: str = "cpu",
        seed: int = 0,
        weights: str | Path | None = None,
        options: Options | None = None,
    ) -> None:
        super().__init__(spec)
        checkpoint = load_checkpoint(weights or find_weights(KIND, self.spec.name), KIND, self.spec)
        self.device = torch.device(device)
        self.net = ScoreNet(NetConfig(**checkpoint.config)).to(self.device)
        self.net.load_state_dict(checkpoint.tensors)
        self.net.requires_grad_(False).eval()
        self.layout, self.features = make_layout(self.spec), FeatureMap(self.spec)
        self.options = replace(options or Options(), seed=seed)
        self._engines: dict[int, Engine] = {}

    def engine(self, n_sources: int) -> Engine:
        """Sampler for P sources. Raises EstimatorError when the network was not trained for so many."""
        low, high = self.spec.source_count
        if not low <= n_sources <= high:
            raise EstimatorError(
                f"posterior weights of {self.spec.name} know {low} to {high} sources, found {n_sources}; "
                "use another method or train for more"
            )
        if n_sources not in self._engines:
            self._engines[n_sources] = Engine(self.net, self.layout, self.features, n_sources, self.options)
        return self._engines[n_sources]

    def samples(self, batch: SnapshotBatch, n_sources: int) -> tuple[Samples, torch.Tensor, torch.Tensor]:
        """Posterior samples at the prior's level, the gain (B,) applied to reach it, and effective L (B,)."""
        engine = self.engine(n_sources)
        covariance = batch.covariance.to(self.device)
        length = effective_snapshots(batch.snapshots.to(self.device), covariance, n_sources)
        noise = None if batch.noise_power is None else batch.noise_power.to(self.device)
        gain = prior_gain(self.spec, covariance, length, n_sources, noise)
        scaled = covariance * gain[:, None, None]
        return engine(scaled, length, None if noise is None else noise * gain), gain, length

    @torch.no_grad()
    def estimate(self, batch: SnapshotBatch, n_sources: int) -> PosteriorEstimates:
        """Medians of the main mode, its 90 % half-widths over 1.645, posterior mean coupling."""
        samples, gain, length = self.samples(batch, n_sources)
        s = summarise(samples.x, samples.chart)
        family = self.spec.family
        noise = 10 ** (s.noise_db / 10) / gain if batch.noise_power is None else batch.noise_power.to(self.device)
        return PosteriorEstimates(
            azimuth=s.azimuth,
            std=s.std,
            power=10 ** (s.power_db / 10) / gain[:, None],
            coupling=family.matrix(family.parameters(s.coefficients)),
            noise_power=noise,
            n_sources=torch.full((batch.size,), n_sources, dtype=torch.int64),
            interval=s.interval,
            share=s.share,
            coefficient_std=s.spread,
            effective_snapshots=length,
        )
