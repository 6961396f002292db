"""Estimates of posterior samples, in the units and the level of the batch."""

from dataclasses import replace

import torch

from doamc.coupling.directional import DirectionalFamily
from doamc.coupling.family import CouplingFamily
from doamc.estimators.estimates import Estimates
from doamc.estimators.joined import join
from doamc.estimators.misfit import Misfit
from doamc.posterior.mixture import mixed
from doamc.posterior.options import Options
from doamc.posterior.report.fit import misfit_of
from doamc.posterior.report.line_ends import reaching_ends
from doamc.posterior.report.summary import Summary, summarise
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.sampling.model_error import ErrorDraws
from doamc.posterior.sampling.samples import Samples
from doamc.posterior.weighed import weighed
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.effective_snapshots import Lengths
from doamc.spec import ArraySpec


class PosteriorReport:
    """Sums up samples of a batch.

    error_draws: of the model, by which samples are moved; None to trust the model. to_ends: whether intervals reach the
    ends of a sector, as in `reaching_ends`.
    """

    def __init__(
        self, spec: ArraySpec, options: Options, error_draws: ErrorDraws | None, to_ends: bool, device: torch.device
    ) -> None:
        self.spec, self.options = spec, options
        self._error_draws, self._to_ends, self._device = error_draws, to_ends, device

    def __call__(self, parts: dict[int, list[SampledPart]], batch: SnapshotBatch) -> Estimates:
        """Estimates of a batch in its order; parts: samples of all of its observations, by number of sources."""
        estimates = []
        for n_sources, some in parts.items():
            if some:
                lengths = batch.effective.lengths(n_sources).to(self._device)
                estimates += [self._estimates_of(g, batch, lengths, n_sources) for g in some]
        if len(estimates) == 1:
            return estimates[0]
        return join(estimates).select(torch.cat([g.index.cpu() for some in parts.values() for g in some]).argsort())

    def _with_errors(self, part: SampledPart, fit: Misfit) -> tuple[Samples, torch.Tensor | None]:
        """Samples moved by errors of the model, and their sizes, of the likeliest kind where there are several."""
        if self._error_draws is None:
            return part.samples, None
        if not part.kinds:
            return self._error_draws(part.samples, fit)
        moved, sizes = zip(*(self._error_draws(kind.samples, fit) for kind in part.kinds), strict=True)
        if all(bool(size.isnan().all()) for size in sizes):
            return part.samples, sizes[0]
        places = torch.arange(len(part.index))
        evidence = torch.stack([self._evidence_of(replace(kind, index=places)) for kind in part.kinds], 1)
        kinds = [replace(kind, samples=samples) for kind, samples in zip(part.kinds, moved, strict=True)]
        likeliest = evidence.argmax(1)[:, None, None].expand(-1, 1, 3).to(sizes[0].device)
        whole = mixed(kinds, evidence, self.spec, self.options.chains, self.options.seed)
        return whole.samples, torch.stack(sizes, 1).gather(1, likeliest)[:, 0]

    def _evidence_of(self, part: SampledPart) -> torch.Tensor:
        return weighed([part], part.length, self.options.seed).evidence.to(self._device)

    def _estimates_of(self, part: SampledPart, batch: SnapshotBatch, lengths: Lengths, n_sources: int) -> Estimates:
        fit = misfit_of(part, lengths.select(part.index))
        samples, error_db = self._with_errors(part, fit)
        s = summarise(samples.x, samples.coordinates, samples.independent)
        if self._to_ends and not self.spec.full_circle and not self.spec.elevated:
            s = reaching_ends(s, samples.coordinates.split(samples.x)[3], self.spec.sector_rad)
        family, gain = part.samples.coordinates.spec.family, part.gain
        if batch.noise_power is None:
            noise = 10 ** (s.noise_db / 10) / gain
        else:
            noise = batch.noise_power.to(self._device)[part.index]
        return Estimates(
            azimuth=s.azimuth,
            std=s.std,
            power=10 ** (s.power_db / 10) / gain[:, None],
            coupling=family.matrix(s.theta),
            coupling_by_direction=_by_direction(family, s),
            noise_power=noise,
            n_sources=torch.full((len(gain),), n_sources, dtype=torch.int64),
            elevation=s.elevation,
            elevation_std=s.elevation_std,
            interval=s.interval,
            elevation_interval=s.elevation_interval,
            elevation_correlation=s.elevation_correlation,
            coupling_std=s.coupling_std,
            mode_azimuth=s.mode_azimuth,
            mode_elevation=s.mode_elevation,
            mode_std=s.mode_std,
            mode_share=s.mode_share,
            snapshots=part.length,
            model_error_db=error_db,
            misfit=fit.misfit,
            fit_probability=fit.probability,
        )


def _by_direction(family: CouplingFamily, s: Summary) -> torch.Tensor | None:
    """Coupling (B, P, N, N) of the mean parameters in the directions found; None where all directions have the same."""
    if not isinstance(family, DirectionalFamily):
        return None
    return family.matrices(s.theta, s.azimuth, 0.0 if s.elevation is None else s.elevation)
