"""The cumulative sum: false alarms, delays, a baseline that is learnt."""

import numpy as np

from doamc.selfcal.change import ALARM, LIMIT, SLACK, Monitor


def alarms_in(scores):
    """Number of alarms; the sum begins anew after each."""
    monitor, count = Monitor(), 0
    for score in scores:
        monitor = monitor.after(monitor.score(score, 0.0, 1.0))
        if monitor.alarmed:
            count, monitor = count + 1, Monitor(0.0, monitor.baseline, monitor.scale, monitor.count)
    return count


def test_false_alarms_are_as_rare_as_the_theory_says():
    # one in a million for exact scores, or 0.3 here: more than four would have a probability of 2e-5
    assert alarms_in(np.random.default_rng(1).standard_normal(300_000)) <= 4


def test_a_change_is_told_within_a_few_batches():
    for shift, most in ((1.5, 40), (3.0, 12), (50.0, int(ALARM / (LIMIT - SLACK)) + 1)):
        delays = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            monitor = Monitor()
            for _ in range(300):
                monitor = monitor.after(monitor.score(rng.standard_normal(), 0.0, 1.0))
            monitor = Monitor(0.0, monitor.baseline, monitor.scale, monitor.count)
            delay = 0
            while not monitor.alarmed and delay < 200:
                monitor = monitor.after(monitor.score(rng.standard_normal() + shift, 0.0, 1.0))
                delay += 1
            delays.append(delay)
        assert np.median(delays) <= most and np.median(delays) >= ALARM / (LIMIT - SLACK)


def test_one_odd_batch_is_no_change():
    monitor = Monitor().after(1e9)
    assert not monitor.alarmed and monitor.sum == LIMIT - SLACK


def test_what_never_fits_better_becomes_normal():
    rng = np.random.default_rng(5)
    monitor = Monitor()
    for _ in range(2000):  # a batch without enough snapshots in between says nothing
        monitor = monitor.after(monitor.score(float(rng.standard_normal() * 0.3 - 4.0), 0.0, 1.0))
        monitor = monitor.after(monitor.score(float("nan"), 0.0, 1.0))
    assert abs(monitor.baseline + 4.0) < 0.3 and monitor.scale < 0.8
    raised = monitor.accept(5.0)
    assert raised.sum == 0.0 and raised.score(raised.baseline, 0.0, 1.0) == 0.0
