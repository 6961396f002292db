"""Method ``ddim``: directions, coupling and waveforms, with a learned prior over what emitters send."""

from dataclasses import replace

import torch

from doamc.angles import wrap_rad
from doamc.denoising.messages import Denoiser, GaussianWaveforms
from doamc.denoising.refit import Alternation, Refit
from doamc.denoising.scene_fit import SceneFit
from doamc.estimators.base import Estimates
from doamc.posterior.methods import Posterior
from doamc.posterior.options import Options
from doamc.posterior.report.source_order import aligned
from doamc.posterior.sampled_part import SampledPart
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class GuidedDdim(Posterior):
    name = "ddim"
    summary = "posterior with a learned prior over waveforms: clean signals, and sharper directions where it knows them"

    def __init__(
        self,
        spec: ArraySpec | str,
        device: str = "cpu",
        seed: int = 0,
        options: Options | None = None,
        coherent: str = "no",
        model_error: float | str | None = "auto",
        prior: str = "auto",
        rounds: int = 2,
        denoiser: Denoiser | None = None,
    ) -> None:
        super().__init__(spec, device, seed, options, coherent, model_error, prior)
        self._alternation = Alternation(denoiser or GaussianWaveforms(), SceneFit(self.options), rounds)
        self._again = {"rounds": rounds, "denoiser": denoiser}

    def _with_wide_prior(self) -> "Posterior":
        return GuidedDdim(
            self.spec, str(self.device), self.options.seed, self.options, self.coherent, self._model_error, "wide",
            **self._again,
        )

    def _estimated(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        parts = self._hypotheses.likelier(batch, n_sources)
        fits = [self._refit(part, batch) for part in parts]
        e = self.summed_up([fit.part for fit in fits], batch, n_sources)
        b, n, length = batch.snapshots.shape
        clean = torch.zeros(b, n, length, dtype=torch.complex128)
        waveforms = torch.zeros(b, n_sources, length, dtype=torch.complex128)
        std = torch.zeros(b, n_sources, length, dtype=torch.float64)
        for part, fit in zip(parts, fits, strict=True):
            order = _reported_order(fit)[..., None].expand(-1, -1, length)
            gain = part.gain.sqrt()[:, None, None]
            clean[part.index], waveforms[part.index] = fit.separated.clean / gain, fit.separated.waveforms.gather(1, order) / gain
            std[part.index] = fit.separated.std.gather(1, order) / gain
        return replace(e, clean=clean, waveforms=waveforms, waveform_std=std)

    def _refit(self, part: SampledPart, batch: SnapshotBatch) -> Refit:
        y = batch.snapshots[part.index] * part.gain.sqrt()[:, None, None]
        return self._alternation(part, y)


def _reported_order(fit: Refit) -> torch.Tensor:
    c = fit.part.samples.coordinates
    azimuth = c.split(aligned(fit.part.samples.x, c))[3].median(2)[0]
    if c.spec.full_circle:
        azimuth = wrap_rad(azimuth, c.spec.sector_rad[0])
    return azimuth.argsort(1)
