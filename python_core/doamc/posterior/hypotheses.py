"""Hypotheses about a batch, sampled: a number of sources, uncorrelated or of any correlation."""

import torch

from doamc.likelihood.correlation_test import perhaps_correlated
from doamc.posterior.levels import Level, at_prior_level, level_of
from doamc.posterior.mixture import mixed
from doamc.posterior.options import Options
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.samplers import Samplers
from doamc.posterior.weighed import Weighed, weighed
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

COHERENT = ("no", "yes", "auto")  #: ways to take correlation between sources
SCORE_EVERY = 16  #: samples, of which the likeliest is where correlation between sources is tested


class Hypotheses:
    """Samples of hypotheses about batches of one array.

    levels: the specification by whose powers a batch is at the level of the prior. coherent: one of `COHERENT`.
    """

    def __init__(
        self, spec: ArraySpec, levels: ArraySpec, options: Options, coherent: str, device: torch.device
    ) -> None:
        self.spec, self.options, self.coherent = spec, options, coherent
        self._levels, self._device = levels, device
        self.sampler = Samplers(spec, options, device)

    def level(self, batch: SnapshotBatch, n_sources: int) -> Level:
        """Level of a batch for P sources."""
        return level_of(self._levels, batch, n_sources, self._device)

    def samples(
        self, batch: SnapshotBatch, n_sources: int, level: Level, coherent: bool | None = None
    ) -> list[SampledPart]:
        """Posterior samples of P sources, over all kinds of coupling, in parts as of `at_prior_level`.

        coherent: whether sources may be correlated; where left out, only if they always are.
        """
        coherent = self.coherent == "yes" if coherent is None else coherent
        observed, few = at_prior_level(self._levels, batch, level), batch.n_snapshots < batch.n_elements

        def sampled(kind: int) -> list[SampledPart]:
            sampler, log_share = self.sampler(n_sources, few, coherent, kind), self.sampler.kinds[kind][0]
            return [SampledPart(i, sampler(o), gain, o.snapshots, log_share) for i, gain, o in observed]

        kinds = [sampled(kind) for kind in range(len(self.sampler.kinds))]
        if len(kinds) == 1:
            return kinds[0]
        return [self._mixed(level, list(parts)) for parts in zip(*kinds, strict=True)]

    def likelier(self, batch: SnapshotBatch, n_sources: int) -> list[SampledPart]:
        """Samples of P sources, of the likelier of uncorrelated and, where asked or narrow, correlated sources."""
        level = self.level(batch, n_sources)
        parts = self.samples(batch, n_sources, level)
        suspects = self._suspects(parts, n_sources, level)
        if not len(suspects):  # nothing to weigh
            return parts
        return self._with_coherence(batch, n_sources, level, self._weighed(parts, level), suspects).parts

    def weighed(self, batch: SnapshotBatch, n_sources: int, level: Level) -> Weighed:
        """Samples as of `likelier`, with their evidence."""
        plain = self._weighed(self.samples(batch, n_sources, level), level)
        return self._with_coherence(batch, n_sources, level, plain, self._suspects(plain.parts, n_sources, level))

    def _mixed(self, level: Level, parts: list[SampledPart]) -> SampledPart:
        """Samples over all kinds of coupling, of samples of the same observations under each."""
        evidence = torch.stack([self._weighed([part], level).evidence[part.index.cpu()] for part in parts], 1)
        return mixed(parts, evidence.to(self._device), self.spec, self.options.chains, self.options.seed)

    def _weighed(self, parts: list[SampledPart], level: Level) -> Weighed:
        return weighed(parts, level.compared, self.options.seed)

    def _suspects(self, parts: list[SampledPart], n_sources: int, level: Level) -> torch.Tensor:
        """Places of observations whose sources are to be tried as correlated ones, too.

        Unless asked for these are narrow signals alone, of which few independent values are seen: the sample
        correlation of such is far from zero, and a model without it bends the coupling to explain it.
        """
        asked = torch.full_like(level.narrow, self.coherent == "auto")
        if self.coherent == "no":
            asked = level.narrow
        if n_sources < 2 or not asked.any():
            return torch.empty(0, dtype=torch.int64)
        found = [
            g.index[perhaps_correlated(g.samples.posterior, g.samples.x[:, :, ::SCORE_EVERY])].cpu() for g in parts
        ]
        suspects = torch.cat(found).sort()[0]
        return suspects[asked[suspects]]

    def _with_coherence(
        self, batch: SnapshotBatch, n_sources: int, level: Level, plain: Weighed, suspects: torch.Tensor
    ) -> Weighed:
        """For those observations the likelier of uncorrelated and correlated sources."""
        if not len(suspects):
            return plain
        some = level.select(suspects)
        other = self._weighed(self.samples(batch.select(suspects), n_sources, some, True), some)
        evidence = torch.full_like(plain.evidence, -torch.inf)
        evidence[suspects] = other.evidence
        parts = [g.of_whole(suspects.to(g.index.device)) for g in other.parts]
        return plain.or_likelier(Weighed(parts, evidence))
