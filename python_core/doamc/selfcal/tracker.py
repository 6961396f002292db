"""The recursion: every batch is fitted under what is believed of the coupling, and then changes that belief.

While the coupling is new, and after an alarm, several hypotheses of it run beside each other, each weighed by how well
it foretells the batches that follow; soon one is left.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

import torch

from doamc.likelihood.deviance import deviance, expected_deviance
from doamc.selfcal.belief import Belief, initial_belief, response_matrix
from doamc.selfcal.change import LIMIT, Monitor
from doamc.selfcal.hypothesis import Hypothesis, Memory
from doamc.selfcal.joint import Fit, Modes, fit_batch
from doamc.selfcal.observation import Observation
from doamc.selfcal.places import Places
from doamc.selfcal.seeds import Seeds
from doamc.selfcal.start import start_family
from doamc.spec import ArraySpec

RECENT = 32  #: batches that are kept to be looked at again after an alarm
TRIAL = 24  #: batches after which one hypothesis is left
HOPELESS = 20.0  #: log odds at which a hypothesis is dropped before
MOST_HYPOTHESES = 6  #: beside each other
WIDENED = 0.01  #: share of what was known that is kept where the coupling moved but little
SURE = 0.7  #: probability of the heaviest mode from which on a batch is learnt from
DOUBT = 10.0  #: log odds that a change needs
SAME = 1e-3  #: mean squared difference of entries below which two couplings are one hypothesis
YOUNG = 12  #: batches in which a belief is broad: more starts, and every batch is learnt from


@dataclass(frozen=True)
class Update:
    """What came of a batch: its fit under the most probable hypothesis, how badly it fits, whether C has changed."""

    fit: Fit
    score: float
    changed: bool


class CouplingTracker:
    """State: hypotheses, the monitor, and counts (batches, changes). update() takes the next batch.

    memory_batches: time constant of forgetting, in batches. Further arguments as in `start_family`.
    """

    def __init__(
        self,
        spec: ArraySpec,
        memory_batches: float = 3000.0,
        spread_db: float | None = None,
        channel_db: float = 0.0,
        channel_deg: float = 0.0,
    ) -> None:
        self.spec, self.memory = spec, Memory(math.exp(-1 / memory_batches))
        self.start = start_family(spec, spread_db, channel_db, channel_deg)
        self.places, self.seeds = Places(spec, self.start.n_blocks), Seeds(spec, self.start)
        self.blank = initial_belief(self.start)
        self.hypotheses = [Hypothesis(self.blank, self.blank)]
        self.monitor = Monitor()
        self.batches = self.changes = self.trial = 0
        self.recent: deque[tuple[Observation, Hypothesis, float]] = deque(maxlen=RECENT)

    @property
    def best(self) -> Hypothesis:
        """The most probable hypothesis."""
        return max(self.hypotheses, key=lambda h: h.log_weight)

    def update(self, observed: Observation) -> Update:
        """Fit of the next batch; the belief is changed by it.

        Raises torch.linalg.LinAlgError, and leaves everything as it was, where a batch cannot be fitted.
        """
        before, young = self.best, self.best.learnt < YOUNG
        if before.count == 0:
            self.hypotheses, fits = self._begin(before, observed)
        else:
            fits = [self._modes(h, observed).fit() for h in self.hypotheses]
        lead = max(range(len(fits)), key=lambda i: self.hypotheses[i].log_weight + fits[i].log_evidence)
        fit, score = fits[lead], self._score(observed, fits[lead])
        self.hypotheses = [self._after(h, observed, f) for h, f in zip(self.hypotheses, fits, strict=True)]
        self.batches += 1
        self._settle()
        changed = False
        if not young and not self.trial:
            self.monitor = self.monitor.after(score)
            self.recent.append((observed, before, score))
            if self.monitor.sum == 0.0:
                self.recent.clear()
            if self.monitor.alarmed:
                changed = self._reconsider()
        return Update(fit, score, changed)

    def record(self) -> dict[str, int]:
        """Counts: batches observed, batches that the belief rests on, changes of the coupling that were found."""
        return {"batches": self.batches, "learnt": self.best.learnt, "changes": self.changes}

    def resume(self, belief: Belief, record: dict[str, int]) -> None:
        """Go on with a belief and the counts that were stored with it."""
        self.start, learnt = belief.start, int(record.get("learnt", 0))
        self.blank = initial_belief(belief.start)
        self.seeds = Seeds(self.spec, belief.start)
        self.hypotheses = [Hypothesis(belief, belief, count=max(1, learnt), learnt=learnt)]
        self.batches, self.changes = int(record.get("batches", 0)), int(record.get("changes", 0))
        self.monitor, self.trial = Monitor(), 0
        self.recent.clear()

    def _begin(self, blank: Hypothesis, observed: Observation) -> tuple[list[Hypothesis], list[Fit]]:
        """A blank hypothesis for every mode of a first batch, and the fits there."""
        fits = self._modes(blank, observed, self.seeds(observed)).each()
        kept: list[Fit] = []
        for f in fits:
            near = [float((self._coupling(f) - self._coupling(k)).abs().square().mean()) < SAME for k in kept]
            if f.log_evidence > fits[0].log_evidence - HOPELESS and not any(near):
                kept.append(f)
        kept = kept[:MOST_HYPOTHESES]
        self.trial = TRIAL
        return [blank] * len(kept), kept

    def _coupling(self, fit: Fit) -> torch.Tensor:
        return response_matrix(self.start, fit.z) @ self.start.projection

    def _modes(
        self, h: Hypothesis, observed: Observation, seeds: list[tuple[torch.Tensor, torch.Tensor]] | None = None
    ) -> Modes:
        return fit_batch(self.spec, self.places, h.belief, observed, seeds or [], h.learnt < YOUNG)

    def _after(self, h: Hypothesis, observed: Observation, fit: Fit) -> Hypothesis:
        sure = self._score(observed, fit) < LIMIT and float(fit.share[0]) > SURE
        return h.after(self.spec, self.memory, observed, fit, h.learnt < YOUNG or sure)

    def _score(self, observed: Observation, fit: Fit) -> float:
        n, each = self.spec.n_elements, 3 if self.spec.elevated else 2
        fitted = each * observed.n_sources + (observed.noise_power is None)
        log_density = torch.tensor([fit.log_density], dtype=torch.float64)
        found = deviance(log_density, observed.covariance, observed.length)
        return self.monitor.score(float(found), *map(float, expected_deviance(n, observed.length, fitted)))

    def _settle(self) -> None:
        """Drop hypotheses that are hopeless, or the same as a better one, and all but one when the trial is over."""
        if not self.trial:
            return
        self.trial -= 1
        order = sorted(self.hypotheses, key=lambda h: -h.log_weight)
        kept = order[:1]
        for h in order[1:]:
            apart = min(float((h.coupling - k.coupling).abs().square().mean()) for k in kept)
            if self.trial and h.log_weight > kept[0].log_weight - HOPELESS and apart > SAME:
                kept.append(h)
        if len(kept) == 1:
            kept, self.trial = [replace(kept[0], log_weight=0.0)], 0
        self.hypotheses = kept

    def _reconsider(self) -> bool:
        """After an alarm: whether another coupling foretells the batches since the sum began to rise.

        What was believed before them is weighed against the same widened and against a fresh start. Where it wins,
        the batches fit badly for another reason, and that is taken for normal from now on.
        """
        entries, onset = list(self.recent), replace(self.recent[0][1], log_weight=0.0)
        self.recent.clear()
        hypotheses = [onset, onset.widened(WIDENED)]
        blank: Hypothesis | None = Hypothesis(self.blank, self.blank)
        for observed, _, _ in entries:
            try:
                after = [self._after(h, observed, self._modes(h, observed).fit()) for h in hypotheses]
                if blank is not None:
                    fresh = self._begin(blank, observed)
                    after += [self._after(h, observed, f) for h, f in zip(*fresh, strict=True)]
            except torch.linalg.LinAlgError:  # a batch that one hypothesis cannot explain at all decides between none
                continue
            hypotheses, blank = after, None
        keep, others = hypotheses[0], hypotheses[1:]
        if keep.log_weight > max(h.log_weight for h in others) - DOUBT:
            self.monitor = self.monitor.accept(sum(r[2] for r in entries) / len(entries))
            self.trial = 0
            return False
        self.hypotheses, self.monitor = others, replace(self.monitor, sum=0.0)
        self.changes += 1
        self._settle()
        return True
