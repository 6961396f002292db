"""The diffusion estimators: guided DDIM for the clean snapshots, then the covariance fit."""

from pathlib import Path

import torch

from doamc.denoising.batch_net import BatchNet, BatchNetConfig
from doamc.denoising.guided_ddim import GaussianGuided, sample_clean
from doamc.denoising.scene_start import scaled_response, scene_estimator
from doamc.denoising.wiener import SignalCovariance
from doamc.diffusion.grid import log_snr_grid
from doamc.diffusion.schedule import VPSchedule
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.map import most_probable, rare_starts
from doamc.estimators.ml import check_identifiable
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: range of the sampling grid: x0 has unit mean square, and noise 40 dB below it must still be resolved
LOG_SNR = (-5.0, 11.0)


class BatchDdim(Estimator):
    """Guided DDIM with the batch-conditioned eps-net, then a fit with the prior, started from R of the samples."""

    name = "ddim"
    summary = "guided DDIM with a batch-conditioned eps-net, then a fit with likelihood and prior"
    fits_powers = True

    def __init__(
        self,
        spec: ArraySpec | str,
        weights: str | Path | None = None,
        steps: int = 24,
        seed: int = 0,
        max_iterations: int = 30,
        starts: int = 2,
    ) -> None:
        """weights: checkpoint (default: the shipped one). steps: of DDIM. starts: how many the final fit descends."""
        super().__init__(spec)
        self.scene, self.seed = scene_estimator(self.spec), seed  # tells first what no weights would mend
        kept = load_checkpoint(weights or find_weights("batch", *self.spec.names), "batch", self.spec)
        self.net = kept.network(lambda config: BatchNet(self.spec, BatchNetConfig(**config)))
        self.max_iterations, self.starts = max_iterations, starts
        self.grid = log_snr_grid(VPSchedule(), steps, *LOG_SNR)

    def denoise(self, batch: SnapshotBatch, n_sources: int) -> tuple[torch.Tensor, torch.Tensor, Estimates]:
        """Posterior mean and one sample of the clean snapshots, each (B, N, L), and the scene they start from."""
        scene = self.scene.estimate(batch, n_sources)
        response, noise = scaled_response(self.spec, scene, batch)
        length = torch.full((batch.size,), float(batch.n_snapshots), dtype=torch.float64)
        known = torch.full((batch.size,), batch.noise_power is not None)
        factor = self.net(batch.covariance / noise[:, None, None], length, response, known)
        signal = SignalCovariance.of(noise[:, None, None] * (factor @ factor.mH))
        # the samplers run on x0 over its own root mean square, for which the noise schedule is made
        scale = signal.values.mean(1).clamp_min(1e-12 * noise).sqrt()[:, None, None]
        unit = SignalCovariance(signal.vectors, signal.values / scale[..., 0] ** 2)
        guided = GaussianGuided(unit, signal.vectors.mH @ batch.snapshots / scale, noise / scale[:, 0, 0] ** 2)
        drawn = sample_clean(guided, (batch.size, batch.n_elements, batch.n_snapshots), self.grid, self.seed)
        return signal.wiener(noise) @ batch.snapshots, signal.vectors @ drawn * scale, scene

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers, coupling and noise with error bars, and the denoised snapshots (posterior mean).

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        mean, drawn, scene = self.denoise(batch, n_sources)
        # R from samples: the covariance of means is shrunk
        r_x0 = drawn @ drawn.mH / batch.n_snapshots
        model = CovarianceModel(self.spec, n_sources)
        starts = rare_starts(model, self.scene.rare, batch, r_x0, self.scene.extra_peaks)
        theta = self.spec.family.project(scene.coupling)
        first = model.pack(scene.azimuth, scene.power, theta, scene.noise_power)[:, None]
        found = most_probable(
            self.scene.search, model, batch, torch.cat([first, starts], 1), self.starts, self.max_iterations
        )
        found.clean = mean
        return found
