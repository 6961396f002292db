"""The number of sources of every observation, by the evidence of each."""

import math

import torch

from doamc.likelihood.noise_test import ODDS, NoiseTest
from doamc.posterior.hypotheses import Hypotheses
from doamc.posterior.levels import Level
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.weighed import Weighed, chosen
from doamc.snapshots.batch import SnapshotBatch


class SourceCounter:
    """Counts sources; one_more_nats: what a hypothesis pays for each of its sources."""

    def __init__(self, hypotheses: Hypotheses, one_more_nats: float) -> None:
        self.noise_test = NoiseTest(hypotheses.spec)
        self._hypotheses, self._one_more_nats = hypotheses, one_more_nats

    def counted(
        self,
        batch: SnapshotBatch,
        log_odds: torch.Tensor,  # shape: (B,), of the noise test
    ) -> tuple[torch.Tensor, dict[int, list[SampledPart]]]:
        """Log evidence as of `log_evidence`, and samples of each observation for its likeliest P >= 1, by P."""
        found = self._numbers(batch)
        evidence = self._evidence(found, log_odds)
        count = evidence[:, 1:].argmax(1) + 1
        return evidence, {p: chosen(v.parts, count == p) for p, v in found.items()}

    def log_evidence(self, batch: SnapshotBatch) -> torch.Tensor:
        """Log evidence of P = 0..P_max sources, (B, P_max + 1), up to a constant per observation.

        That of noise is the greatest of the others less what the noise test finds against it: it is the greatest of all
        where the test takes the batch for noise alone.
        """
        return self._evidence(self._numbers(batch), self.noise_test.log_odds_of(batch))

    def _evidence(self, found: dict[int, Weighed], log_odds: torch.Tensor) -> torch.Tensor:
        out = torch.full((len(log_odds), max(found) + 1), -torch.inf, dtype=torch.float64)
        for p, hypothesis in found.items():
            out[:, p] = hypothesis.evidence - p * self._one_more_nats
        out[:, 0] = out.amax(1) - log_odds + math.log(ODDS)
        return out

    def _numbers(self, batch: SnapshotBatch) -> dict[int, Weighed]:
        """Every number of sources, with samples and evidence.

        All of them take the level of a batch as it is where it may be the prior's for any of them, and are compared at
        the least of their effective numbers of snapshots.
        """
        low, high = self._hypotheses.spec.source_count
        levels = {p: self._hypotheses.level(batch, p) for p in range(low, min(high, batch.n_elements - 1) + 1)}
        known = torch.stack([v.gain == 1 for v in levels.values()]).any(0)
        least = torch.stack([v.length for v in levels.values()]).amin(0)
        return {
            p: self._hypotheses.weighed(batch, p, Level(v.length, torch.where(known, 1.0, v.gain), least, v.narrow))
            for p, v in levels.items()
        }
