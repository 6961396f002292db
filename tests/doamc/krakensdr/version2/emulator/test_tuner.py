"""States of the emulated receiver over the time of its stream."""

import pytest

from doamc.errors import ReceiverError
from doamc.krakensdr.version2.emulator.tuner import Times, Tuner, check_times

TIMES = Times(retuning=1.0, cooling=3.0, waiting=2.0, measuring=1.0, applying=0.5, verifying=0.5)


def seen(tuner, times):
    return [(c.phase, c.noise_source, c.retuning) for c in map(tuner.at, times)]


def test_each_state_lasts_as_long_as_told():
    tuner = Tuner(TIMES, 433.9e6)
    phases = [tuner.at(t).phase for t in (0.0, 1.9, 2.0, 2.9, 3.0, 3.4, 3.5, 3.9, 4.0, 99.0)]
    assert phases == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_gain_that_changes_while_it_retunes_waits_for_the_end_of_that():
    tuner = Tuner(TIMES, 433.9e6)
    tuner.at(10.0)
    tuner.tune(868e6)
    assert seen(tuner, [10.0, 10.4]) == [(4, False, True)] * 2
    tuner.set_gain(30.0)
    assert seen(tuner, [10.5, 10.9, 11.0, 13.9, 14.0]) == [
        (4, False, True), (4, False, True), (5, False, False), (5, False, False), (0, True, False),
    ]  # fmt: skip
    assert tuner.condition.frequency_hz == 868e6 and tuner.condition.gain_db == 30.0


def test_two_changes_of_frequency_count_twice_and_the_last_one_holds():
    tuner = Tuner(TIMES, 433.9e6)
    tuner.at(10.0)
    tuner.tune(868e6)
    assert tuner.at(10.5).frequency_hz == 433.9e6
    tuner.tune(145e6)
    assert [tuner.at(t).frequency_hz for t in (10.5, 11.4, 11.5)] == [433.9e6, 433.9e6, 145e6]
    assert tuner.condition.changes == 2 and tuner.condition.cooling_s == 3.0


def test_lost_coherence_is_recovered_from_without_cooling_down():
    tuner = Tuner(TIMES, 433.9e6)
    tuner.at(10.0)
    tuner.lose_coherence()
    assert seen(tuner, [10.0, 11.0, 11.5, 12.0]) == [
        (1, True, False),
        (2, True, False),
        (3, True, False),
        (4, False, False),
    ]
    assert tuner.coherence_events == 1 and not tuner.condition.recovering


def test_a_restart_keeps_what_was_set_and_begins_to_count_anew():
    tuner = Tuner(TIMES, 433.9e6)
    tuner.tune(868e6)
    tuner.at(20.0)
    tuner.restart(20.0)
    assert seen(tuner, [20.0, 22.0, 24.0]) == [(0, True, False), (1, True, False), (4, False, False)]
    assert tuner.condition.changes == 0 and tuner.condition.frequency_hz == 868e6


@pytest.mark.parametrize(
    ("times", "words"),
    [({"cooling": -1.0}, "0 to 3600 s for cooling"), ({"waiting": 1e9}, "waiting"), ({"verifying": float("nan")}, "v"),
     ({"a": 1.0}, "a time is one of retuning, cooling, waiting, measuring, applying, verifying; found a")],
)  # fmt: skip
def test_times_that_cannot_be_are_refused(times, words):
    with pytest.raises(ReceiverError, match=words):
        check_times(times)
