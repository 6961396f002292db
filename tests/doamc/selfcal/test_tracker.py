"""The recursion on emitters that move: it becomes better, notices a jump, and sees none where there is none."""

import math

import numpy as np
import pytest
import torch

from doamc.selfcal.hypothesis import Hypothesis
from doamc.selfcal.observation import at_level
from doamc.selfcal.tracker import CouplingTracker
from tests.doamc.selfcal.scenes import World, apart, moving, outside

RATE = 5.0  #: batches a second


def follow(tracker: CouplingTracker, world: World, batches: range) -> tuple[np.ndarray, list[float]]:
    """Errors in deg (batches, P) and NMSE of the coupling in dB after every batch."""
    errors, nmse = [], []
    for k in batches:
        azimuth = moving(k / RATE)
        step = tracker.update(world.observe(azimuth))
        errors.append(apart(step.fit.azimuth[0], azimuth).rad2deg().numpy())
        nmse.append(world.nmse_db(tracker.best.coupling))
    return np.array(errors), nmse


def rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def test_bearings_and_coupling_become_better_and_a_jump_is_recovered_from():
    world = outside("ula8", 1)
    tracker = CouplingTracker(world.spec)
    errors, nmse = follow(tracker, world, range(80))
    assert rms(errors[-20:]) < rms(errors[:10]) / 3 and nmse[-1] < np.mean(nmse[:10]) - 10
    assert tracker.changes == 0 and tracker.best.learnt > 70
    jumped = outside("ula8", 7)
    errors, nmse = follow(tracker, jumped, range(80, 140))  # twelve seconds
    assert tracker.changes >= 1
    assert rms(errors[-15:]) < rms(errors[:10]) / 3 and nmse[-1] < nmse[0] - 10


@pytest.mark.parametrize(("array", "outside_db"), [("uca5", -20.0), ("dipole8", -15.0)])
def test_it_learns_a_circle_and_a_line_of_dipoles(array, outside_db):
    world = outside(array, 2, outside_db)
    tracker = CouplingTracker(world.spec)
    _, nmse = follow(tracker, world, range(60))
    assert tracker.changes == 0 and nmse[-1] < np.mean(nmse[:10]) - 5


def test_nothing_changes_while_nothing_changes():
    """Batches of 24 snapshots, where the deviance is no chi-square any more: no alarm, and the baseline stays at 0."""
    world = outside("ula4", 5, -25.0)
    world.snr_db, world.snapshots = 15.0, 24
    tracker = CouplingTracker(world.spec)
    follow(tracker, world, range(150))
    # scores have a standard error of 1 / sqrt(100) in the baseline
    assert tracker.changes == 0 and abs(tracker.monitor.baseline) < 0.5 and 0.6 < tracker.monitor.scale < 1.5


def test_interference_is_no_change_of_the_coupling():
    """Twelve batches with a third emitter that nobody counts: they are not learnt from, and the coupling stays."""
    world = outside("ula8", 3)
    tracker = CouplingTracker(world.spec)
    follow(tracker, world, range(60))
    before = world.nmse_db(tracker.best.coupling)
    for k in range(12):
        azimuth = torch.cat([moving(k / RATE), torch.tensor([0.9 * math.sin(k)], dtype=torch.float64)])
        three = world.covariance(azimuth)
        tracker.update(at_level(three, 256.0, None, 2))
    follow(tracker, world, range(60, 75))
    assert world.nmse_db(tracker.best.coupling) < max(before + 6, -25.0)


def test_the_receivers_gain_does_not_matter():
    world = outside("ula8", 4)
    first, second = CouplingTracker(world.spec), CouplingTracker(world.spec)
    for k in range(6):
        covariance = world.covariance(moving(k / RATE))
        a = first.update(at_level(covariance, 256.0, None, 2))
        b = second.update(at_level(1e-9 * covariance, 256.0, None, 2))
        torch.testing.assert_close(a.fit.azimuth[0], b.fit.azimuth[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(first.best.coupling, second.best.coupling, atol=1e-5, rtol=0)


def test_ambiguous_batches_are_not_learnt_from():
    world = outside("ula8", 6)
    tracker = CouplingTracker(world.spec)
    follow(tracker, world, range(20))
    before: Hypothesis = tracker.best
    noise = World(world.spec, world.coupling, world.rng, snr_db=-20.0, snapshots=32)
    for k in range(4):
        step = tracker.update(noise.observe(moving(float(k))))
        if float(step.fit.share[0]) < 0.7:
            break
    else:
        pytest.fail("expected a batch of noise to have several modes")
    assert tracker.best.learnt <= before.learnt + k
