"""Method ``posterior``: estimates at the Bayes limit, with calibrated intervals."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.cause_names import remediable
from doamc.estimators.joined import join
from doamc.estimators.no_source import no_source
from doamc.estimators.remedies import Remedy
from doamc.estimators.reported_fit import with_fit
from doamc.likelihood.noise_test import noise_alone
from doamc.posterior.counting import SourceCounter
from doamc.posterior.hypotheses import COHERENT, Hypotheses
from doamc.posterior.options import Options, wide_prior
from doamc.posterior.pipeline import PosteriorSampler
from doamc.posterior.report.estimates import PosteriorReport
from doamc.posterior.report.wiener import mean_wiener_filter
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.sampling.model_error import ErrorDraws
from doamc.posterior.second_model import NOISES, or_remedied, with_channel_noise
from doamc.posterior.second_prior import PRIORS, or_wide
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec, load_spec
from doamc.spec.wide import with_wide_prior

#: against each source under the wide prior: among its sources are some too weak to be heard, which cost no evidence
ONE_MORE_NATS = 4.0
PART = 32  #: observations worked on at once


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
    noise: "equal" for white noise of one power and channels as they are told, "channels" for a power of each channel's
    own, "auto" for what explains a batch that does not fit: that, noise that channels share, a channel that is off,
    two that are swapped, or correlated sources.
    """

    name = "posterior"
    elevations = directional = True
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
        noise: str = "auto",
    ) -> None:
        for name, value, choices in (
            ("coherent", coherent, COHERENT), ("prior", prior, PRIORS), ("noise", noise, NOISES)
        ):  # fmt: skip
            if value not in choices:
                raise EstimatorError(f"{name} must be one of {', '.join(choices)}, found {value!r}")
        self.coherent, self.prior, self.noise, self._model_error = coherent, prior, noise, model_error
        self._levels, wide = load_spec(spec), prior == "wide"
        if noise == "channels" and not remediable(self._levels):
            raise EstimatorError(
                f"noise=channels: expected a coupling that does not depend on direction and is no Hermitian one, found "
                f"that of {self._levels.name}; use noise=equal"
            )
        levels = self._levels
        super().__init__(with_wide_prior(levels) if wide else levels)
        self.device = torch.device(device)
        self.options = replace(options or Options(), seed=seed)
        if wide:
            self.options = wide_prior(self.options)
        self._hypotheses = Hypotheses(self.spec, levels, self.options, coherent, self.device)
        self._counter = SourceCounter(self._hypotheses, ONE_MORE_NATS if wide else 0.0)
        error_draws = None if model_error is None else ErrorDraws(model_error, seed)
        self._report = PosteriorReport(self.spec, self.options, error_draws, wide, self.device)

    @cached_property
    def _wide(self) -> "Posterior":
        return self._with_wide_prior()

    def _with_wide_prior(self) -> "Posterior":
        """The same method under the wide prior."""
        return self._for(self.spec, "wide", self.coherent)

    def _for(self, spec: ArraySpec, prior: str, coherent: str) -> "Posterior":
        """The same method for another specification, prior or correlation, and noise that is white."""
        device, o = str(self.device), self.options
        return Posterior(spec, device, o.seed, o, coherent, self._model_error, prior, "equal")

    def sampler(self, n_sources: int, few: bool = False, coherent: bool = False, kind: int = 0) -> PosteriorSampler:
        """Sampler for P sources, as of `Samplers`; raises EstimatorError outside the specification's numbers."""
        return self._hypotheses.sampler(n_sources, few, coherent, kind)

    def samples(self, batch: SnapshotBatch, n_sources: int, coherent: bool | None = None) -> list[SampledPart]:
        """Posterior samples, in parts: of observations at the prior's level, and of those rescaled to it.

        coherent: whether sources may be correlated; as the option of the estimator where left out. Where the prior over
        the coupling has several kinds, samples are of each as often as it is probable.
        """
        return self._hypotheses.samples(batch, n_sources, self._hypotheses.level(batch, n_sources), coherent)

    @torch.no_grad()
    def log_evidence(self, batch: SnapshotBatch) -> torch.Tensor:
        """Log evidence of P = 0..P_max sources, (B, P_max + 1), up to a constant per observation.

        That of noise is the greatest of all where the noise test takes the batch for noise alone.
        """
        return self._counter.log_evidence(batch)

    @torch.no_grad()
    def counted(self, batch: SnapshotBatch) -> Estimates:
        """Estimates with the number of sources of each observation by the evidence; noise alone is not sampled."""
        log_odds = self._counter.noise_test.log_odds_of(batch)
        noise = noise_alone(log_odds)
        if noise.all():
            return self._without_source(batch)
        index = list((~noise).nonzero()[:, 0].split(PART))
        parts = [self._counted(batch.select(some), log_odds[some]) for some in index]
        if noise.any():
            index.append(noise.nonzero()[:, 0])
            parts.append(self._without_source(batch.select(noise)))
        return join(parts).select(torch.cat(index).argsort())

    def _without_source(self, batch: SnapshotBatch) -> Estimates:
        return with_fit(self.spec, batch, no_source(batch), True)

    def _counted(self, batch: SnapshotBatch, log_odds: torch.Tensor) -> Estimates:
        e = self._by_evidence(batch, log_odds)
        if self.prior == "auto":
            e = or_wide(e, lambda places: self._under_wide_prior(batch.select(places)))
        e = self._or_remedied(batch, e, lambda method, some: method.counted(some))
        return with_fit(self.spec, batch, e, True)

    def _or_remedied(
        self, batch: SnapshotBatch, e: Estimates, again: Callable[["Posterior", SnapshotBatch], Estimates]
    ) -> Estimates:
        """Estimates of a batch, those that have a remedy by `again`, with the method that goes with it."""
        if self.noise == "equal" or not remediable(self._levels):
            return e

        def remedied(remedy: Remedy, some: SnapshotBatch) -> Estimates:
            # a remedy and a wide prior explain nearly anything
            prior = "narrow" if self.prior == "auto" else self.prior
            coherent = "yes" if remedy.coherent else self.coherent
            return again(self._for(remedy.spec(self._levels), prior, coherent), some)

        chosen = or_remedied if self.noise == "auto" else with_channel_noise
        return chosen(self.spec, batch, e, remedied)

    def _under_wide_prior(self, batch: SnapshotBatch) -> Estimates:
        return self._wide._by_evidence(batch, self._wide._counter.noise_test.log_odds_of(batch))

    def _by_evidence(self, batch: SnapshotBatch, log_odds: torch.Tensor) -> Estimates:
        evidence, parts = self._counter.counted(batch, log_odds)
        return replace(self.reported(parts, batch), log_evidence=evidence)

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
        return self._or_remedied(batch, e, lambda method, some: method.estimate(some, n_sources))

    def _estimated(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        return self.reported({n_sources: self._hypotheses.likelier(batch, n_sources)}, batch)

    def reported(self, parts: dict[int, list[SampledPart]], batch: SnapshotBatch) -> Estimates:
        """Estimates of the samples of a batch, by number of sources."""
        return self._report(parts, batch)
