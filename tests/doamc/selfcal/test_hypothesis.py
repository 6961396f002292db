"""One hypothesis of the coupling: what a batch does to it, and what is forgotten."""

from dataclasses import replace

import pytest
import torch

from doamc.selfcal.belief import initial_belief
from doamc.selfcal.hypothesis import EARLY, Hypothesis, Memory
from doamc.selfcal.joint import fit_batch
from doamc.selfcal.places import Places
from doamc.selfcal.start import start_family
from tests.doamc.selfcal.scenes import moving, outside

SHARE = 0.9


@pytest.fixture(scope="module")
def world():
    return outside("ula4", 1, -25.0)


@pytest.fixture(scope="module")
def blank(world):
    belief = initial_belief(start_family(world.spec))
    return Hypothesis(belief, belief)


def fitted(world, hypothesis, k):
    """The observation of a time, and its fit under a hypothesis."""
    observed = world.observe(moving(float(k)))
    return observed, fit_batch(world.spec, Places(world.spec, 1), hypothesis.belief, observed, [], False).fit()


def test_a_batch_that_is_learnt_from_adds_its_information_and_moves_the_mean_to_its_fit(world, blank):
    observed, fit = fitted(world, blank, 0)
    after = blank.after(world.spec, Memory(SHARE), observed, fit, True)
    assert (after.count, after.learnt, len(after.window.batches)) == (1, 1, 1)
    torch.testing.assert_close(after.belief.gathered, fit.information)
    torch.testing.assert_close(after.belief.mean, fit.z, atol=1e-9, rtol=1e-9)
    assert after.log_weight == fit.log_evidence


def test_a_batch_that_is_not_learnt_from_counts_and_fades_what_is_known(world, blank):
    observed, fit = fitted(world, blank, 0)
    one = blank.after(world.spec, Memory(SHARE), observed, fit, True)
    two = one.after(world.spec, Memory(SHARE), observed, fit, False)
    assert (two.count, two.learnt, len(two.window.batches)) == (2, 1, 1)
    torch.testing.assert_close(two.belief.gathered, SHARE * one.belief.gathered)
    assert two.window.faded == pytest.approx(SHARE**2) and two.log_weight == pytest.approx(2 * fit.log_evidence)


def test_the_window_is_fitted_again_when_it_is_due_and_its_surplus_goes_into_the_base(world, blank):
    memory, h = Memory(1.0, window=5, every=48), blank
    for k in range(EARLY):
        h = h.after(world.spec, memory, *fitted(world, h, k), True)
    assert h.learnt == EARLY and len(h.window.batches) == memory.window
    base, whole = (torch.linalg.eigvalsh(b.gathered).sum() for b in (h.base, h.belief))
    assert 0 < base < whole  # three of eight batches are in the base


def test_a_window_that_cannot_be_fitted_is_given_up_for_what_is_believed(world, blank, monkeypatch):
    observed, fit = fitted(world, blank, 0)

    def fail(*_):
        raise torch.linalg.LinAlgError

    monkeypatch.setattr("doamc.selfcal.hypothesis.refit", fail)
    due = replace(blank, learnt=EARLY - 1)
    after = due.after(world.spec, Memory(SHARE), observed, fit, True)
    assert after.window.batches == () and after.base is after.belief
    torch.testing.assert_close(after.belief.gathered, fit.information)


def test_widening_keeps_the_mean_nearly_and_forgets_how_sure_it_was(world, blank):
    h = blank.after(world.spec, Memory(1.0), *fitted(world, blank, 0), True)
    wide = h.widened(0.01)
    torch.testing.assert_close(wide.belief.gathered, 0.01 * h.belief.gathered)
    assert wide.base is wide.belief and (wide.count, wide.learnt, wide.log_weight) == (0, 0, 0.0)
