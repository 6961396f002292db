"""The clock that counts samples: what is lost shows, what is only late does not, and both within what it says."""

import random

import pytest

from doamc.krakensdr.version2.clock import StreamClock

RATE, SIZE = 2.4e6, 24_000  # a packet every 10 ms


def played(seconds, lost=lambda t: 0.0, delay=lambda t: 0.0, drift=0.0):
    """A clock after so many s of signal; lost(t): s lost so far; delay(t): of the packet that ends then."""
    clock, told = StreamClock(RATE), []
    count, missing, latest = 0, 0.0, 0.0
    while count * SIZE / RATE + missing < seconds:
        count += 1
        missing = max(missing, lost(count * SIZE / RATE + missing))
        now = count * SIZE / RATE + missing
        latest = max(latest, now * (1 + drift) + delay(now))
        found = clock.see(100.0 + latest, SIZE)
        if found:
            told.append((round(now, 1), found))
    return clock, told


def jitter(seed=0, scale=0.02):
    draw = random.Random(seed)
    return lambda t: draw.expovariate(1 / scale)


def test_a_stream_that_is_whole_has_lost_nothing_within_what_is_said():
    clock, told = played(60.0, delay=jitter())
    assert told == [] and clock.lost_s == 0.0 and clock.samples == 60.0 * RATE
    assert clock.uncertainty_s == pytest.approx(0.05 + 60 * 1e-4, abs=0.002)


def test_a_loss_is_found_within_its_uncertainty_and_soon():
    clock, told = played(60.0, lost=lambda t: 0.5 if t > 20 else 0.0, delay=jitter())
    ((at, found),) = told
    assert 20 < at < 24 and found == pytest.approx(0.5, abs=0.01)
    assert abs(clock.lost_s - 0.5) < clock.uncertainty_s < 0.15


def test_losses_add_up():
    clock, told = played(60.0, lost=lambda t: 0.3 * (t // 10), delay=jitter())
    assert len(told) == 5 and abs(clock.lost_s - 1.5) < clock.uncertainty_s < 0.4


def test_what_is_late_for_less_than_two_windows_is_not_lost():
    clock, told = played(60.0, delay=lambda t: max(0.0, 21.0 - t) if t > 20 else 0.0)  # halted for 1 s
    assert told == [] and clock.lost_s == 0.0


def test_what_was_late_for_long_and_came_after_all_is_given_back():
    clock, told = played(60.0, delay=lambda t: 1.0 if 20 < t < 30 else 0.0)
    assert len(told) == 1 and clock.lost_s == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("drift", [8e-5, -8e-5])
def test_clocks_that_differ_are_followed(drift):
    clock, told = played(300.0, drift=drift, delay=jitter(scale=0.002))
    assert told == [] and clock.lost_s == 0.0
    # and so is the time of a sample: 300 s of signal end at 300 (1 + drift)
    assert clock.time_of(clock.samples) == pytest.approx(100.0 + 300 * (1 + drift), abs=0.005)


def test_the_time_of_a_sample_shows_what_is_lost_before_it():
    clock, _ = played(30.0, lost=lambda t: 2.0 if t > 10 else 0.0)
    assert clock.time_of(clock.samples) == pytest.approx(130.0, abs=0.011)


def test_a_first_window_that_is_late_hides_no_time():
    clock, told = played(20.0, delay=lambda t: 0.7 if t < 3 else 0.0)
    assert told == [] and clock.lost_s == 0.0 and clock.time_of(0) == pytest.approx(100.0, abs=0.01)
