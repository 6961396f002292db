"""One hypothesis of what the coupling is: a belief with the batches behind it, and how probable they make it."""

from dataclasses import dataclass, field, replace

import torch

from doamc.selfcal.belief import Belief
from doamc.selfcal.joint import Fit
from doamc.selfcal.observation import Observation
from doamc.selfcal.refit import gathered, refit
from doamc.selfcal.window import Window, kept_batch
from doamc.spec import ArraySpec

EARLY = 8  #: batches between two fits of the window at first, while every batch moves the coupling much


@dataclass(frozen=True)
class Memory:
    """share: factor on all information a batch. window: batches fitted together. every: batches between such fits."""

    share: float
    window: int = 192
    every: int = 48


@dataclass(frozen=True)
class Hypothesis:
    """base: what is known without the window. belief: all that is known. count: of batches, learnt: of those used."""

    base: Belief
    belief: Belief
    window: Window = field(default_factory=Window)
    count: int = 0
    learnt: int = 0
    log_weight: float = 0.0

    def after(self, spec: ArraySpec, memory: Memory, observed: Observation, fit: Fit, learn: bool) -> "Hypothesis":
        """The hypothesis after a batch and its fit. learn: whether the batch may change the belief."""
        base, belief = self.base.forget(memory.share), self.belief.forget(memory.share)
        window = self.window.forget(memory.share)
        learnt = belief.learn(fit.information, fit.z)
        learn = learn and learnt.sound
        if learn:
            belief = learnt
            window = window.add(kept_batch(observed, fit.scene))
        new = Hypothesis(base, belief, window, self.count + 1, self.learnt + learn, self.log_weight + fit.log_evidence)
        due = learn and new.learnt % (EARLY if new.learnt < 8 * EARLY else memory.every) == 0
        try:
            return new.refitted(spec, memory) if due else new
        except torch.linalg.LinAlgError:  # one of its batches cannot be fitted at another coupling: start a new window
            return replace(new, base=belief, window=Window())

    def refitted(self, spec: ArraySpec, memory: Memory) -> "Hypothesis":
        """The hypothesis with its window fitted again; batches beyond the window's size go over into the base."""
        window, belief, z = refit(spec, self.base, self.belief.mean, self.window)
        old, window = window.split(max(0, len(window.batches) - memory.window))
        base = self.base.plus(*gathered(spec, self.base.start, z, old.groups()), z)
        return replace(self, base=base, belief=belief, window=window)

    def widened(self, share: float) -> "Hypothesis":
        """A new hypothesis: this belief with its gathered information weighted by share."""
        belief = self.belief.forget(share)
        return Hypothesis(belief, belief)

    @property
    def coupling(self) -> torch.Tensor:
        """Coupling matrix of the belief's mean, (N, N)."""
        return self.belief.coupling
