"""The chain of [Luo-Fung]: guided diffusion of single snapshots, the covariance of its samples, eq. (34) from RARE.

Sections II.B to II.D of the paper differ in the sampler (reverse SDE, DDPM, DDIM) and in the guidance; here both are
parts of the engine, taken by name. y = x0 + n, so H = I. One snapshot does not tell the scene, so neither does this
prior: what it knows is how few emitters there are.
"""

import math
from pathlib import Path
from typing import Any

import torch

from doamc.denoising.snapshot_net import open_snapshot_denoiser
from doamc.diffusion.grid import make_grid
from doamc.diffusion.guidance import GUIDANCES, guide
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import SAMPLERS, SharedNoise, make_sampler, sample
from doamc.diffusion.schedule import VPSchedule
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.fit import CovarianceFit
from doamc.estimators.ml import check_identifiable
from doamc.estimators.uncoupled import noise_power_of
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec
from doamc.text import shown

#: log-SNRs of the grid: from where noise hides everything to noise 48 dB below x0, which has unit mean square
LOG_SNR = (-8.0, 11.0)
#: guidance -> its option that eta sets; the others have none
STRENGTHS = {"step": "strength", "likelihood": "gamma", "dps": "zeta"}
#: sampler that stands for none: the network called once, at the noise that y has
ONE_CALL = "none"


class SnapshotDdim(Estimator):
    """Guided diffusion with a per-snapshot eps-net, R of the samples, eq. (34) from RARE."""

    name = "ddim-snapshot"
    summary = "the chain of Luo and Fung, for comparison: guided diffusion of single snapshots, then eq. (34)"

    def __init__(
        self,
        spec: ArraySpec | str,
        weights: str | Path | None = None,
        sampler: str = "ddim",
        guidance: str = "combined",
        eta: float | None = None,
        steps: int = 15,
        samples: int = 8,
        seed: int = 0,
    ) -> None:
        """weights: checkpoint (default: that of the array).

        sampler: one of `SAMPLERS` but indi; or none: x0 is what one call of the network makes of y. guidance: one of
        `GUIDANCES`. eta: of eq. (31), the strength of the guidance, for step (1, the default, is the posterior weight),
        likelihood and dps; 0 leaves the data out. steps: of the sampler. samples: drawn of every snapshot.
        Raises EstimatorError where an option is none of these.
        """
        super().__init__(spec)
        names = [ONE_CALL, *(name for name in SAMPLERS if name != "indi")]
        if sampler not in names:
            raise EstimatorError(f"sampler must be one of {', '.join(names)}, found {shown(sampler)}")
        if guidance not in GUIDANCES:
            raise EstimatorError(f"guidance must be one of {', '.join(GUIDANCES)}, found {shown(guidance)}")
        if eta is not None and (guidance not in STRENGTHS or sampler == ONE_CALL):
            raise EstimatorError(f"eta is the strength of guidance {', '.join(STRENGTHS)}; found it with {guidance}")
        self.seed, self.fit = seed, CovarianceFit(self.spec)  # tells first what no weights would mend
        kept = load_checkpoint(weights or find_weights("snapshot", *self.spec.names), "snapshot", self.spec)
        self.denoiser = open_snapshot_denoiser(kept, self.spec)
        self.sampler = None if sampler == ONE_CALL else make_sampler(sampler)
        self.guidance, self.samples = guidance, samples
        self.options: dict[str, Any] = {} if eta is None else {STRENGTHS[guidance]: eta}
        self.operator = LinearOperator.selection(self.spec.n_elements, range(self.spec.n_elements))
        low, high = LOG_SNR
        self.grid = make_grid("knee", VPSchedule(), steps, self.denoiser.trained, low=low, high=high)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers and coupling of the denoised snapshots; error bars are the bound at the estimate.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        noise = noise_power_of(batch, n_sources)
        clean, covariance = self.denoise(batch, noise)
        found = self.fit.estimate(SnapshotBatch(clean, covariance, batch.n_snapshots), n_sources)
        found.clean, found.noise_power = clean, noise
        return found

    def denoise(self, batch: SnapshotBatch, noise_power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean over the samples of the clean snapshots, (B, N, L), and their covariance, (B, N, N).

        A sample has twice the squared error of the mean of all samples, which is what is wanted of snapshots; the
        covariance is that of samples, since that of means is shrunk.
        """
        # the net knows snapshots of unit mean signal power
        received = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
        scale = torch.maximum(received - noise_power, 0.05 * noise_power).sqrt()[:, None, None]
        if not bool((scale > 0).all()):
            raise EstimatorError("expected signals and noise in every batch, found one of which nothing is left")
        y = (batch.snapshots / scale).mT.flatten(0, 1)  # (B L, N)
        level = (noise_power / scale[:, 0, 0] ** 2).repeat_interleave(batch.n_snapshots)
        if self.sampler is None:
            x = self._as_batch(self._one_call(y, level), batch) * scale
            return x, x @ x.mH / batch.n_snapshots
        guided = guide(self.guidance, self.denoiser, self.operator, y, level, **self.options)
        mean, covariance = torch.zeros_like(batch.snapshots), torch.zeros_like(batch.covariance)
        for k in range(self.samples):
            noise = SharedNoise(self.seed + k, (batch.n_snapshots, batch.n_elements), batch.size)
            x = sample(guided, self.sampler, self.grid, noise, end="mean")
            x = self._as_batch(x, batch) * scale
            mean += x / self.samples
            covariance += x @ x.mH / (batch.n_snapshots * self.samples)
        return mean, covariance

    def _one_call(self, y: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """E[x0 | y] by the prior alone: alpha y is the state x_t whose noise is that of y."""
        if self.denoiser.trained is not None:
            level = level.clamp(*(math.exp(-v) for v in self.denoiser.trained[::-1]))
        scale = (1 + level[:, None]).rsqrt()
        return self.denoiser(scale * y, scale, scale * level[:, None].sqrt())

    @staticmethod
    def _as_batch(flat: torch.Tensor, batch: SnapshotBatch) -> torch.Tensor:
        """Snapshots (B L, N) as (B, N, L)."""
        return flat.unflatten(0, (batch.size, batch.n_snapshots)).mT
