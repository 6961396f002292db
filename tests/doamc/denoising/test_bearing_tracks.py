"""Tracks by bearing: order at first, crossing powers, gates, misses, the edge of the circle."""

import pytest

from doamc.denoising.bearing_tracks import BearingTracks
from doamc.errors import EstimatorError


def azimuths(tracks):
    return [None if t is None else t.azimuth_deg for t in tracks.tracks]


def test_places_begin_by_azimuth_and_are_kept_whatever_the_order_of_the_sources():
    tracks = BearingTracks(2)
    assert tracks.update([-20.0, 5.0, 30.0], [-9.0, 0.0, -3.0]) == [1, 2]  # the two strongest
    assert tracks.update([-20.0, 7.0, 28.0], [0.0, -8.0, -3.0]) == [1, 2]
    assert azimuths(tracks) == [7.0, 28.0]
    assert tracks.update([27.0, 9.0], [0.0, 0.0]) == [1, 0]


def test_the_sum_of_distances_decides():
    tracks = BearingTracks(2, gate_deg=8.0)
    tracks.update([0.0, 6.0], [0.0, 0.0])
    assert tracks.update([5.0, 11.0], [0.0, 0.0]) == [0, 1]  # 5 is nearer to 6, but then 11 would be lost


def test_a_missed_track_waits_with_a_growing_gate_and_then_leaves():
    tracks = BearingTracks(1, gate_deg=4.0, hold=3)
    tracks.update([10.0], [0.0])
    assert tracks.update([16.0], [0.0]) == [None]
    assert tracks.update([16.0], [0.0]) == [None]  # gate 5.7
    assert tracks.update([16.0], [0.0]) == [0]  # gate 6.9
    for _ in range(4):
        assert tracks.update([], []) == [None]
    assert azimuths(tracks) == [None]
    assert tracks.update([50.0], [0.0]) == [0] and tracks.tracks[0].number == 1


def test_the_circle_closes():
    tracks = BearingTracks(2)
    tracks.update([-179.0, 90.0], [0.0, 0.0])
    assert tracks.update([90.0, 179.0], [0.0, 0.0]) == [1, 0]


def test_bad_settings_are_said():
    for settings in ({"places": 0}, {"places": 1, "gate_deg": 0.0}, {"places": 1, "hold": -1}):
        with pytest.raises(EstimatorError, match="expected at least one place"):
            BearingTracks(**settings)
