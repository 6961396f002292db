"""Tracks by bearing: order at first, powers that cross, misses, fades, crossings, the edge of the circle."""

import numpy as np
import pytest

from doamc.denoising.bearing_tracks import BearingTracks
from doamc.errors import EstimatorError

EVERY_S = 0.1


def azimuths(tracks):
    return [None if t is None else t.azimuth_deg for t in tracks.tracks]


def test_places_begin_by_azimuth_and_are_kept_whatever_the_order_of_the_sources():
    tracks = BearingTracks(2)
    assert tracks.update(0.0, [-20.0, 5.0, 30.0], [-9.0, 0.0, -3.0]) == [1, 2]  # the two strongest
    assert tracks.update(0.1, [-20.0, 5.5, 29.5], [0.0, -8.0, -3.0]) == [1, 2]
    assert azimuths(tracks) == pytest.approx([5.25, 29.75], abs=0.05)  # of the same error, two bearings have their mean
    assert tracks.update(0.2, [29.0, 6.0], [0.0, 0.0]) == [1, 0]


def test_the_sum_of_distances_decides():
    tracks = BearingTracks(2)
    tracks.update(0.0, [0.0, 6.0], [0.0, 0.0], [2.0, 2.0])
    assert tracks.update(0.1, [5.0, 11.0], [0.0, 0.0], [2.0, 2.0]) == [
        0,
        1,
    ]  # 5 is nearer to 6, but then 11 is nobody's


def test_an_emitter_that_is_missed_for_too_long_leaves_its_place():
    tracks = BearingTracks(1, hold=3)
    tracks.update(0.0, [10.0], [0.0])
    first = tracks.tracks[0].number
    for k in range(3):
        assert tracks.update(0.1 * k, [], []) == [None] and tracks.tracks[0].missed == k + 1
    assert tracks.update(0.4, [], []) == [None] and tracks.tracks == [None]
    for k in range(8):  # one sighting may be nobody's, several are an emitter
        found = tracks.update(0.5 + 0.1 * k, [50.0], [0.0])
    assert found == [0] and tracks.tracks[0].number != first


def observed(rng, truth, std_deg, seen):
    """Azimuths in a random order, and whose each is."""
    whose = [e for e in rng.permutation(len(truth)) if seen[e]]
    return [float(truth[e] + std_deg * rng.standard_normal()) for e in whose], whose


@pytest.mark.parametrize("std_deg", [0.3, 1.5])
def test_a_fade_of_two_seconds_changes_no_place(std_deg):
    """Meanwhile the estimator, told two sources, reports one anywhere, with an error that says so."""
    rng, tracks = np.random.default_rng(3), BearingTracks(2)
    for k in range(90):
        fades = 40 <= k < 59
        azimuth, whose = observed(rng, [-15.0, 5.0], std_deg, [not fades, True])
        std = [std_deg] * len(azimuth)
        if fades:
            azimuth, whose, std = [*azimuth, rng.uniform(-60, 60)], [*whose, 2], [*std, 20.0]
        sources = tracks.update(EVERY_S * k, azimuth, [0.0] * len(azimuth), std)
        found = [None if source is None else whose[source] for source in sources]
        assert found[1] == 1 and (fades or found[0] == 0)


def test_emitters_that_cross_keep_their_places():
    """At 3 degrees a second against each other; while they are within two degrees nobody can tell."""
    rng, tracks = np.random.default_rng(4), BearingTracks(2)
    for k in range(100):
        truth = [-7.5 + 1.5 * EVERY_S * k, 7.5 - 1.5 * EVERY_S * k]
        azimuth, whose = observed(rng, truth, 0.3, [True, True])
        sources = tracks.update(EVERY_S * k, azimuth, [0.0, 0.0], [0.3, 0.3])
        if abs(truth[0] - truth[1]) > 2:
            assert [whose[source] for source in sources] == [0, 1]


def test_the_circle_closes():
    tracks = BearingTracks(2)
    tracks.update(0.0, [-179.0, 90.0], [0.0, 0.0])
    assert tracks.update(0.1, [90.0, 179.0], [0.0, 0.0]) == [1, 0]


def test_bad_settings_are_said():
    for settings in ({"places": 0}, {"places": 1, "rate_deg_s": 0.0}, {"places": 1, "hold": -1}):
        with pytest.raises(EstimatorError, match="expected"):
            BearingTracks(**settings)
