"""Hypotheses about a batch: posterior samples of each, weighed against each other by their evidence."""

from dataclasses import dataclass

import torch

from doamc.posterior.report.evidence import log_evidence
from doamc.posterior.sampled_part import SampledPart


@dataclass(frozen=True)
class Weighed:
    """Samples of a hypothesis, in parts, and its log evidence (B,) for every observation of the batch."""

    parts: list[SampledPart]
    evidence: torch.Tensor

    def or_likelier(self, other: "Weighed") -> "Weighed":
        """For every observation the hypothesis with the greater evidence."""
        better = other.evidence > self.evidence
        parts = chosen(self.parts, ~better) + chosen(other.parts, better)
        return Weighed(parts, torch.maximum(self.evidence, other.evidence))


def weighed(
    parts: list[SampledPart],
    snapshots: torch.Tensor,  # shape: (B,), effective L, the same for all hypotheses that are compared
    seed: int,
) -> Weighed:
    """Samples with their evidence; a part whose gain is 1 is at the level of the prior."""
    evidence = torch.empty(len(snapshots), dtype=torch.float64)
    for g in parts:
        if g.log_evidence is not None:  # mixed of several kinds, which were weighed before
            evidence[g.index.cpu()] = g.log_evidence.cpu()
            continue
        length = snapshots[g.index]
        found = log_evidence(g.samples, length, bool((g.gain == 1).all()), seed=seed)
        # the likelihood of a rescaled covariance differs by L N log(gain)
        shift = length * g.samples.posterior.covariance.shape[-1] * g.gain.log()
        evidence[g.index.cpu()] = (found + shift).cpu() + g.log_share
    return Weighed(parts, evidence)


def chosen(parts: list[SampledPart], which: torch.Tensor) -> list[SampledPart]:
    """Parts with those observations of a batch for which `which` (B,) is true; none that is empty."""
    kept = [(g, which[g.index.cpu()].to(g.index.device)) for g in parts]
    return [g.select(some) for g, some in kept if some.any()]
