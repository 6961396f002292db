import math

import numpy as np
import pytest
from benchmarks.yardsticks.bearing_scenes import STD_DEG, crossing, swaps
from benchmarks.yardsticks.following import follow

from doamc.angles import wrap_deg
from doamc.errors import EstimatorError
from doamc.tracks import Sighting, Tracker, TrackerOptions


def seen(*azimuths_deg, frequency_hz=None):
    return [Sighting(((b, STD_DEG, 1.0),), frequency_hz, 1e4) for b in azimuths_deg]


def test_crossings_swap_identities_at_most_now_and_then():
    scenes = [crossing(np.random.default_rng(seed)) for seed in range(6)]
    exchanged = sum(swaps(s.truth, follow(s)) for s in scenes) / 2  # an exchange is a swap for both emitters
    assert exchanged <= 1


def test_intervals_of_emitters_that_drive_hold():
    rng, inside, std = np.random.default_rng(1), [], []
    o = TrackerOptions(rate_std_deg_s=1.0, rate_time_s=10.0, lifetime_s=1e4)
    for _ in range(15):
        tracker, bearing, rate = Tracker(o), 170.0, rng.standard_normal()
        for n in range(120):
            bearing += rate * 0.1
            rate = rate * math.exp(-0.01) + math.sqrt(1 - math.exp(-0.02)) * rng.standard_normal()
            tracker.update(n * 0.1, seen(wrap_deg(bearing + STD_DEG * rng.standard_normal())))
            if n >= 20 and n % 20 == 0:
                (track,) = tracker.tracks()
                low, high = track.interval_deg
                inside.append(abs(wrap_deg(bearing - (low + high) / 2)) <= (high - low) / 2)
                std.append(track.std_deg)
    assert 0.8 <= np.mean(inside) <= 0.98  # 75 nearly independent intervals of 90 %: 0.9 +- 0.035
    assert np.median(std) < 0.6 * STD_DEG  # what following is for


def test_an_error_that_slices_share_is_not_averaged_away():
    tracker = Tracker(TrackerOptions(shared_std_deg=0.4, rate_std_deg_s=0.01))
    for n in range(200):
        tracker.update(n * 0.1, seen(30.0))
    (track,) = tracker.tracks()
    assert track.std_deg == pytest.approx(0.4, abs=0.03)
    assert track.interval_deg[1] - track.interval_deg[0] == pytest.approx(2 * 1.645 * track.std_deg, rel=0.01)


def test_silence_does_not_end_an_emitter_and_a_long_one_does():
    tracker = Tracker(TrackerOptions(lifetime_s=60.0))
    for n in range(20):
        tracker.update(n * 0.1, seen(-70.0))
    (first,) = tracker.tracks()
    for n in range(20, 100):
        tracker.update(n * 0.1, [])
    (silent,) = tracker.tracks()
    assert silent.track == first.track and silent.on < 0.2 and silent.std_deg > first.std_deg
    tracker.update(10.0, seen(-70.5))
    (again,) = tracker.tracks()
    assert again.track == first.track and again.on > 0.95
    for n in range(300):
        tracker.update(11.0 + n, [])
    assert tracker.tracks() == []


def test_mirrors_are_told_apart_by_the_one_that_stays():
    tracker, rng = Tracker(), np.random.default_rng(0)
    for n in range(40):  # the array turns under the emitter's mirror: one place stays, the other moves
        place, mirror = 20 + STD_DEG * rng.standard_normal(), 160 - 3.0 * n
        tracker.update(n * 0.5, [Sighting(((place, STD_DEG, 0.5), (mirror, STD_DEG, 0.5)))])
        if n == 0:
            (first,) = tracker._mixture.weight
            assert sorted(first)[-2:] == [0.5, 0.5]
    tracks = [t for t in tracker.tracks() if t.std_deg < 2]
    assert [t.azimuth_deg for t in tracks] == [pytest.approx(20.0, abs=1.0)]


def test_frequency_tells_emitters_of_one_place_apart():
    tracker = Tracker()
    for n in range(30):
        tracker.update(n * 0.1, seen(5.0, frequency_hz=433.1e6) + seen(5.2, frequency_hz=433.3e6))
    tracks = tracker.tracks()
    assert [round(t.frequency_hz / 1e5) for t in tracks] == [4331, 4333]
    assert [t.sighting for t in tracks] == [0, 1]


def test_sightings_that_are_nobodys_become_no_emitters():
    tracker, rng, count = Tracker(TrackerOptions(false_per_slice=1.0)), np.random.default_rng(2), 0
    for n in range(300):
        tracker.update(n * 0.1, seen(*rng.uniform(-180, 180, rng.poisson(1.0))))
        count += len(tracker.tracks())
    assert count <= 15


def test_a_flood_is_bounded():
    tracker = Tracker()
    for n in range(3):
        tracker.update(n * 0.1, seen(*np.linspace(-179, 179, 600)))
    assert len(tracker.tracks()) <= 256


def test_time_runs_forwards():
    tracker = Tracker()
    tracker.update(1.0, [])
    with pytest.raises(EstimatorError, match="order of time"):
        tracker.update(0.5, [])
    with pytest.raises(EstimatorError, match="order of time"):
        tracker.update(math.nan, [])


@pytest.mark.parametrize("wrong", [{"detected": 1.0}, {"on_s": 0.0}, {"births_s": math.inf}, {"shared_std_deg": -1.0}])
def test_options_have_ranges(wrong):
    with pytest.raises(EstimatorError, match=next(iter(wrong))):
        TrackerOptions(**wrong)
