"""Method ``ddim``: directions, coupling and waveforms, with a learned prior over what emitters send."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.denoising.guided_waveforms import WaveformSampler
from doamc.denoising.messages import Denoiser
from doamc.denoising.refit import Alternation, Refit
from doamc.denoising.scene_fit import SceneFit
from doamc.denoising.separated import Separated
from doamc.estimators.base import Estimates
from doamc.posterior.methods import Posterior
from doamc.posterior.mixture import mixed
from doamc.posterior.report.source_order import aligned
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.weighed import weighed
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class GuidedDdim(Posterior):
    """Method `posterior` with a network that knows waveforms, and the waveforms themselves (docs/denoising.md).

    weights: checkpoint of the network, by default the shipped one. rounds: of scene and waveforms. samples: of the
    waveforms by guided diffusion in every round, from which messages are made; None takes the network's own mean and
    variance, the limit of many. steps, sampler, guidance, eta: of these samples, as of `WaveformSampler`. The others
    are those of `posterior`.
    """

    name = "ddim"
    elevations = False  # messages of waveforms are of azimuths
    summary = "posterior with a learned prior over waveforms: clean signals, and directions sharper where it knows them"

    def __init__(
        self,
        spec: ArraySpec | str,
        weights: str | Path | None = None,
        device: str = "cpu",
        seed: int = 0,
        rounds: int = 2,
        samples: int | None = None,
        steps: int = 12,
        sampler: str = "ddim",
        guidance: str = "exchange",
        eta: float = 0.0,
        coherent: str = "no",
        model_error: float | str | None = "auto",
        prior: str = "auto",
        denoiser: Denoiser | None = None,
    ) -> None:
        """denoiser: the prior over waveforms in the place of the network.

        Raises CheckpointError where there are no weights, SamplerError on an unknown sampler or guidance.
        """
        super().__init__(spec, device, seed, None, coherent, model_error, prior, noise="equal")
        self._made: dict[str, Any] = {
            "device": device, "seed": seed, "rounds": rounds, "samples": samples, "steps": steps, "sampler": sampler,
            "guidance": guidance, "eta": eta, "coherent": coherent, "model_error": model_error,
        }  # fmt: skip
        self._denoiser = denoiser or _network(weights, self.device)
        drawn = WaveformSampler(self._denoiser, steps, samples or 1, sampler, guidance, eta, seed)
        fit = SceneFit(self.options)
        self._alternation = Alternation(
            self._denoiser, fit, rounds, sampler=drawn if samples else None, by_chance=coherent == "no"
        )

    def _with_wide_prior(self) -> Posterior:
        return GuidedDdim(self.spec, **self._made, prior="wide", denoiser=self._denoiser)

    def reported(self, parts: dict[int, list[SampledPart]], batch: SnapshotBatch) -> Estimates:
        """Estimates of samples to which the waveforms have been added, and the waveforms."""
        fits = {p: [self._refit(part, batch) for part in some] for p, some in parts.items()}
        e = super().reported({p: [fit.part for fit in some] for p, some in fits.items()}, batch)
        (b, n, length), width = batch.snapshots.shape, e.azimuth.shape[1]
        clean = torch.zeros(b, n, length, dtype=torch.complex128)
        waveforms, std = torch.zeros(b, width, length, dtype=torch.complex128), torch.zeros(b, width, length).double()
        std[:] = torch.nan
        for p, some in fits.items():
            for fit in some:
                place, gain = fit.part.index.cpu(), fit.part.gain.sqrt().cpu()[:, None, None]
                order, found = _reported_order(fit), fit.separated
                clean[place] = found.clean.cpu() / gain
                waveforms[place, :p] = found.waveforms.take_along_dim(order[..., None], 1).cpu() / gain
                std[place, :p] = found.std.take_along_dim(order[..., None], 1).cpu() / gain
        return replace(e, clean=clean, waveforms=waveforms, waveform_std=std)

    def _refit(self, part: SampledPart, batch: SnapshotBatch) -> Refit:
        y = batch.snapshots.to(self.device)[part.index] * part.gain.sqrt()[:, None, None]
        if not part.kinds:
            return self._alternation(part, y)
        fits = [self._alternation(kind, y) for kind in part.kinds]
        places = torch.arange(len(part.index))
        evidence = [weighed([replace(k, index=places)], k.length, self.options.seed).evidence for k in part.kinds]
        log_evidence = torch.stack(evidence, 1).to(self.device)
        whole = mixed([f.part for f in fits], log_evidence, self.spec, self.options.chains, self.options.seed)
        share = torch.softmax(log_evidence, 1).mT

        def mean(name: str) -> torch.Tensor:
            values = torch.stack([getattr(f.separated, name) for f in fits])
            return (share.reshape(*share.shape[:2], *[1] * (values.ndim - 2)) * values).sum(0)

        found = Separated(mean("clean"), mean("waveforms"), mean("std"), mean("scatter"))
        return Refit(replace(whole, kinds=part.kinds), found, torch.stack([f.heard for f in fits]).any(0))


def _network(weights: str | Path | None, device: torch.device) -> Denoiser:
    from doamc.waveforms.denoiser import WaveformDenoiser

    network = WaveformDenoiser.open(weights)
    network.net.to(device)
    return network


def _reported_order(fit: Refit) -> torch.Tensor:
    """Order (n, P) of the emitters in estimates, which are ascending in azimuth."""
    c = fit.part.samples.coordinates
    azimuth = c.split(aligned(fit.part.samples.x, c))[3].median(2)[0]
    return (wrap_rad(azimuth, c.spec.sector_rad[0]) if c.spec.full_circle else azimuth).argsort(1)
