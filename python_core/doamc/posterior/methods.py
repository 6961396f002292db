"""Method ``posterior``: estimates at the Bayes limit, with calibrated intervals."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.engine import join
from doamc.estimators.no_source import no_source
from doamc.estimators.null_spectrum import NullSpectrum
from doamc.estimators.reported_fit import with_fit
from doamc.likelihood.correlation_test import perhaps_correlated
from doamc.likelihood.effective_snapshots import effective_snapshots
from doamc.likelihood.noise_test import ODDS, NoiseTest
from doamc.likelihood.power_level import prior_gain
from doamc.posterior.kinds import kinds_of
from doamc.posterior.mixture import mixed
from doamc.posterior.observations import Observations
from doamc.posterior.options import Options, few_snapshots, wide_prior
from doamc.posterior.pipeline import PosteriorSampler
from doamc.posterior.report.fit import misfit_of
from doamc.posterior.report.line_ends import reaching_ends
from doamc.posterior.report.summary import summarise
from doamc.posterior.report.wiener import mean_wiener_filter
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.sampling.model_error import ErrorDraws
from doamc.posterior.sampling.samples import Samples
from doamc.posterior.second_prior import PRIORS, or_wide
from doamc.posterior.weighed import Weighed, chosen, weighed
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.correlation import Lengths, effective_lengths
from doamc.spec import ArraySpec, load_spec
from doamc.spec.wide import with_wide_prior

COHERENT = ("no", "yes", "auto")  #: ways to take correlation between sources
#: against each source under the wide prior: among its sources are some too weak to be heard, which cost no evidence
ONE_MORE_NATS = 4.0
PART = 32  #: observations worked on at once
SCORE_EVERY = 16  #: samples, of which the likeliest is where correlation between sources is tested
DRAWN_BROAD_DEG = 2.5  #: `Options.broad_deg` for coupling drawn from antennas


@dataclass(frozen=True)
class Level:
    """What a hypothesis takes of a batch: effective L and gain on the covariance, (B,) each.

    compared: the effective L (B,) at which it is compared with others.
    """

    length: torch.Tensor
    gain: torch.Tensor
    compared: torch.Tensor

    def select(self, index: torch.Tensor) -> "Level":
        """That of some of the observations."""
        return Level(self.length[index], self.gain[index], self.compared[index])


class Posterior(Estimator):
    """Samples of the posterior by mode search and Metropolis chains on the exact likelihood; for any specification.

    seed: of all random tables (same seed, same result; an observation's result does not depend on the others of its
    batch).
    coherent: "no" for uncorrelated sources, "yes" for sources of any correlation, two paths of one emitter among them,
    "auto" for whichever has the greater evidence, where a test does not rule correlation out.
    model_error: by how much responses are off the model, relative r.m.s. error in dB; "auto" to infer it from each
    batch, None to trust the model.
    prior: "narrow" for the prior of the specification, "wide" for that of `spec.wide`, "auto" for the wide one where a
    batch does not fit the narrow one and fits the wide one.
    """

    name = "posterior"
    summary = "posterior over scenes by the exact likelihood and the array's prior; medians, calibrated 90 % intervals"

    def __init__(
        self,
        spec: ArraySpec | str,
        device: str = "cpu",
        seed: int = 0,
        options: Options | None = None,
        coherent: str = "no",
        model_error: float | str | None = "auto",
        prior: str = "auto",
    ) -> None:
        for name, value, choices in (("coherent", coherent, COHERENT), ("prior", prior, PRIORS)):
            if value not in choices:
                raise EstimatorError(f"{name} must be one of {', '.join(choices)}, found {value!r}")
        self.coherent, self.prior, self._model_error = coherent, prior, model_error
        self._levels = load_spec(spec)  # by whose powers a batch is at the level of the prior
        super().__init__(with_wide_prior(self._levels) if prior == "wide" else self._levels)
        self.device = torch.device(device)
        self.null_spectrum = NullSpectrum(self.spec)
        self.options = replace(options or Options(), seed=seed)
        if prior == "wide":
            self.options = wide_prior(self.options)
        self.kinds = kinds_of(self.spec)
        self._samplers: dict[tuple[int, bool, bool, int], PosteriorSampler] = {}
        self._noise_test = NoiseTest(self.spec)
        self._error_draws = None if model_error is None else ErrorDraws(model_error, seed)

    @cached_property
    def _wide(self) -> "Posterior":
        """The same method under the wide prior."""
        device = str(self.device)
        return Posterior(
            self.spec, device, self.options.seed, self.options, self.coherent, self._model_error, prior="wide"
        )

    def sampler(self, n_sources: int, few: bool = False, coherent: bool = False, kind: int = 0) -> PosteriorSampler:
        """Sampler for P sources; few: for fewer snapshots than elements; coherent: for sources of any correlation.

        kind: of coupling, where the prior has several. Raises EstimatorError outside the specification's numbers of
        sources.
        """
        low, high = self.spec.source_count
        if not low <= n_sources <= high:
            raise EstimatorError(
                f"the prior of {self.spec.name} knows {low} to {high} sources, found {n_sources}; "
                "use another method or a specification with more"
            )
        key = n_sources, few, coherent and n_sources > 1, kind
        if key not in self._samplers:
            options = few_snapshots(self.options) if few else self.options
            if self.spec.family.narrow:  # how an array is turned is never known better than its builders place it
                options = replace(options, broad_deg=DRAWN_BROAD_DEG)
            spec = self.kinds[kind][1]
            self._samplers[key] = PosteriorSampler(spec, self.null_spectrum, n_sources, options, key[2], self.device)
        return self._samplers[key]

    def samples(self, batch: SnapshotBatch, n_sources: int, coherent: bool | None = None) -> list[SampledPart]:
        """Posterior samples, in parts: of observations at the prior's level, and of those rescaled to it.

        coherent: whether sources may be correlated; as the option of the estimator where left out. Where the prior over
        the coupling has several kinds, samples are of each as often as it is probable.
        """
        coherent = self.coherent == "yes" if coherent is None else coherent
        return self._samples_at(batch, n_sources, self._level(batch, n_sources), coherent)

    def _samples_at(self, batch: SnapshotBatch, n_sources: int, level: Level, coherent: bool) -> list[SampledPart]:
        observed, few = self._at_prior_level(batch, level), batch.n_snapshots < batch.n_elements

        def sampled(kind: int) -> list[SampledPart]:
            sampler, log_share = self.sampler(n_sources, few, coherent, kind), self.kinds[kind][0]
            return [SampledPart(i, sampler(o), gain, o.snapshots, log_share) for i, gain, o in observed]

        kinds = [sampled(kind) for kind in range(len(self.kinds))]
        if len(kinds) == 1:
            return kinds[0]
        return [self._mixed(level, list(parts)) for parts in zip(*kinds, strict=True)]

    def _mixed(self, level: Level, parts: list[SampledPart]) -> SampledPart:
        """Samples over all kinds of coupling, of samples of the same observations under each."""
        evidence = torch.stack([self._weighed([part], level).evidence[part.index.cpu()] for part in parts], 1)
        return mixed(parts, evidence.to(self.device), self.spec, self.options.chains, self.options.seed)

    def _weighed(self, parts: list[SampledPart], level: Level) -> Weighed:
        return weighed(parts, level.compared, self.options.seed)

    def _level(self, batch: SnapshotBatch, n_sources: int) -> Level:
        covariance = batch.covariance.to(self.device)
        length = effective_snapshots(batch.snapshots.to(self.device), covariance, n_sources, batch.left_out)
        noise = None if batch.noise_power is None else batch.noise_power.to(self.device)
        return Level(length, prior_gain(self._levels, covariance, length, n_sources, noise), length)

    def _at_prior_level(
        self, batch: SnapshotBatch, level: Level
    ) -> list[tuple[torch.Tensor, torch.Tensor, Observations]]:
        """Places (n,), gains (n,) on the covariance, observations: of those at the prior's level, of those rescaled.

        A batch whose level cannot be the prior's (a receiver of unknown scale) is rescaled, and the prior over its
        source powers widened by their range, since only their differences still mean something. It is always widened
        where coupling is drawn from antennas: so narrow a prior would be bent to make up for a level merely near.
        """
        covariance = batch.covariance.to(self.device)
        noise = None if batch.noise_power is None else batch.noise_power.to(self.device)
        margin = self._levels.power_db[1] - self._levels.power_db[0]
        levels = []
        for moved in (False, True):
            index = ((level.gain != 1) == moved).nonzero()[:, 0]
            if len(index):
                g, length = level.gain[index], level.length[index]
                widened = margin if moved or self.spec.family.narrow else 0.0
                known = None if noise is None else noise[index] * g
                observations = Observations(covariance[index] * g[:, None, None], length, known, widened)
                levels.append((index, g, observations))
        return levels

    def is_noise(self, batch: SnapshotBatch) -> torch.Tensor:
        """Whether each observation is noise alone as far as can be seen, (B,) bool: what is not worth an evidence."""
        return self._noise_test(batch)

    @torch.no_grad()
    def log_evidence(self, batch: SnapshotBatch) -> torch.Tensor:
        """Log evidence of P = 0..P_max sources, (B, P_max + 1), up to a constant per observation.

        That of noise is the greatest of the others less what the noise test finds against it: it is the greatest of all
        where the test takes the batch for noise alone.
        """
        return self._evidence(batch, self._numbers(batch))

    def _evidence(self, batch: SnapshotBatch, found: dict[int, Weighed]) -> torch.Tensor:
        out = torch.full((batch.size, max(found) + 1), -torch.inf, dtype=torch.float64)
        for p, hypothesis in found.items():
            out[:, p] = hypothesis.evidence - (p * ONE_MORE_NATS if self.prior == "wide" else 0.0)
        out[:, 0] = out.amax(1) - self._noise_test.log_odds_of(batch) + math.log(ODDS)
        return out

    def _numbers(self, batch: SnapshotBatch) -> dict[int, Weighed]:
        """Every number of sources, with samples and evidence.

        All of them take the level of a batch as it is where it may be the prior's for any of them, and are compared at
        the least of their effective numbers of snapshots.
        """
        top = min(self.spec.source_count[1], batch.n_elements - 1)
        levels = {p: self._level(batch, p) for p in range(self.spec.source_count[0], top + 1)}
        known = torch.stack([v.gain == 1 for v in levels.values()]).any(0)
        least = torch.stack([v.length for v in levels.values()]).amin(0)
        return {
            p: self._hypothesis(batch, p, Level(v.length, torch.where(known, 1.0, v.gain), least))
            for p, v in levels.items()
        }

    def _hypothesis(self, batch: SnapshotBatch, n_sources: int, level: Level) -> Weighed:
        """A number of sources, of the likelier of uncorrelated and, where asked, correlated sources."""
        plain = self._weighed(self._samples_at(batch, n_sources, level, self.coherent == "yes"), level)
        return self._with_coherence(batch, n_sources, level, plain, self._suspects(plain.parts, n_sources))

    def _suspects(self, parts: list[SampledPart], n_sources: int) -> torch.Tensor:
        """Places of observations whose sources are to be tried as correlated ones, too; none unless asked for."""
        if self.coherent != "auto" or n_sources < 2:
            return torch.empty(0, dtype=torch.int64)
        found = [
            g.index[perhaps_correlated(g.samples.posterior, g.samples.x[:, :, ::SCORE_EVERY])].cpu() for g in parts
        ]
        return torch.cat(found).sort()[0]

    def _with_coherence(
        self, batch: SnapshotBatch, n_sources: int, level: Level, plain: Weighed, suspects: torch.Tensor
    ) -> Weighed:
        """For those observations the likelier of uncorrelated and correlated sources."""
        if not len(suspects):
            return plain
        some = level.select(suspects)
        other = self._weighed(self._samples_at(batch.select(suspects), n_sources, some, True), some)
        evidence = torch.full_like(plain.evidence, -torch.inf)
        evidence[suspects] = other.evidence
        parts = [g.of_whole(suspects.to(g.index.device)) for g in other.parts]
        return plain.or_likelier(Weighed(parts, evidence))

    @torch.no_grad()
    def counted(self, batch: SnapshotBatch) -> Estimates:
        """Estimates with the number of sources of each observation by the evidence; noise alone is not sampled."""
        noise = self.is_noise(batch)
        if noise.all():
            return self._without_source(batch)
        index = list((~noise).nonzero()[:, 0].split(PART))
        parts = [self._counted(batch.select(some)) for some in index]
        if noise.any():
            index.append(noise.nonzero()[:, 0])
            parts.append(self._without_source(batch.select(noise)))
        return join(parts).select(torch.cat(index).argsort())

    def _without_source(self, batch: SnapshotBatch) -> Estimates:
        return with_fit(self.spec, batch, no_source(batch), True)

    def _counted(self, batch: SnapshotBatch) -> Estimates:
        e = self._by_evidence(batch)
        if self.prior == "auto":
            e = or_wide(e, lambda places: self._wide._by_evidence(batch.select(places)))
        return with_fit(self.spec, batch, e, True)

    def _by_evidence(self, batch: SnapshotBatch) -> Estimates:
        found = self._numbers(batch)
        evidence = self._evidence(batch, found)
        count = evidence[:, 1:].argmax(1) + 1
        parts = [(p, g) for p, v in found.items() for g in chosen(v.parts, count == p)]
        lengths = {p: self._lengths(batch, p) for p in found}
        estimates = [self._estimates_of(g, batch, lengths[p], p) for p, g in parts]
        result = join(estimates).select(torch.cat([g.index.cpu() for _, g in parts]).argsort())
        result.log_evidence = evidence
        return result

    @torch.no_grad()
    def denoise(self, batch: SnapshotBatch, n_sources: int, samples: int = 96) -> torch.Tensor:
        """E[x_0 | Y], (B, N, L): the mean of the Wiener filters of posterior samples, applied to the snapshots."""
        filters = torch.empty_like(batch.covariance)
        for g in self.samples(batch, n_sources):
            filters[g.index] = mean_wiener_filter(g.samples.posterior, g.samples.x[:, :, -samples:]).cpu()
        return filters @ batch.snapshots

    @torch.no_grad()
    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Medians of the main mode, 90 % half-widths of the posterior over 1.645, posterior mean coupling."""
        if batch.size > PART:  # memory grows with the batch, the result of an observation does not depend on it
            places = torch.arange(batch.size).split(PART)
            return join([self.estimate(batch.select(place), n_sources) for place in places])
        e = self._estimated(batch, n_sources)
        if self.prior == "auto":
            e = or_wide(e, lambda places: self._wide._estimated(batch.select(places), n_sources))
        return e

    def _estimated(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        level = self._level(batch, n_sources)
        parts = self._samples_at(batch, n_sources, level, self.coherent == "yes")
        suspects = self._suspects(parts, n_sources)
        if len(suspects):
            parts = self._with_coherence(batch, n_sources, level, self._weighed(parts, level), suspects).parts
        return self.summed_up(parts, batch, n_sources)

    def summed_up(self, parts: list[SampledPart], batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Estimates of the samples of a batch."""
        lengths = self._lengths(batch, n_sources)
        estimates = [self._estimates_of(g, batch, lengths, n_sources) for g in parts]
        if len(estimates) == 1:
            return estimates[0]
        return join(estimates).select(torch.cat([g.index for g in parts]).argsort())

    def _lengths(self, batch: SnapshotBatch, n_sources: int) -> Lengths:
        snapshots, covariance = batch.snapshots.to(self.device), batch.covariance.to(self.device)
        return effective_lengths(snapshots, covariance, n_sources, batch.left_out)

    def _evidence_of(self, part: SampledPart) -> torch.Tensor:
        return weighed([part], part.length, self.options.seed).evidence.to(self.device)

    def _with_errors(self, part: SampledPart) -> tuple[Samples, torch.Tensor | None]:
        """Samples moved by errors of the model, and their sizes, of the likeliest kind where there are several."""
        if self._error_draws is None:
            return part.samples, None
        if not part.kinds:
            return self._error_draws(part.samples)
        moved, sizes = zip(*(self._error_draws(kind.samples) for kind in part.kinds), strict=True)
        if all(bool(size.isnan().all()) for size in sizes):
            return part.samples, sizes[0]
        places = torch.arange(len(part.index))
        evidence = torch.stack([self._evidence_of(replace(kind, index=places)) for kind in part.kinds], 1)
        kinds = [replace(kind, samples=samples) for kind, samples in zip(part.kinds, moved, strict=True)]
        likeliest = evidence.argmax(1)[:, None, None].expand(-1, 1, 3).to(sizes[0].device)
        whole = mixed(kinds, evidence, self.spec, self.options.chains, self.options.seed)
        return whole.samples, torch.stack(sizes, 1).gather(1, likeliest)[:, 0]

    def _estimates_of(self, part: SampledPart, batch: SnapshotBatch, lengths: Lengths, n_sources: int) -> Estimates:
        fit = misfit_of(part, lengths.select(part.index))
        samples, error_db = self._with_errors(part)
        s = summarise(samples.x, samples.coordinates, self.options.chains)
        if self.prior == "wide" and not self.spec.full_circle:
            s = reaching_ends(s, samples.coordinates.split(samples.x)[3], self.spec.sector_rad)
        family, gain = part.samples.coordinates.spec.family, part.gain
        if batch.noise_power is None:
            noise = 10 ** (s.noise_db / 10) / gain
        else:
            noise = batch.noise_power.to(self.device)[part.index]
        return Estimates(
            azimuth=s.azimuth,
            std=s.std,
            power=10 ** (s.power_db / 10) / gain[:, None],
            coupling=family.matrix(s.theta),
            noise_power=noise,
            n_sources=torch.full((len(gain),), n_sources, dtype=torch.int64),
            interval=s.interval,
            coupling_std=s.coupling_std,
            mode_azimuth=s.mode_azimuth,
            mode_std=s.mode_std,
            mode_share=s.mode_share,
            snapshots=part.length,
            model_error_db=error_db,
            misfit=fit.misfit,
            fit_probability=fit.probability,
        )
