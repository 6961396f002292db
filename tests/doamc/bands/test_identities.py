"""Signals that come and go keep the number of their emitter."""

import pytest

from doamc.bands.identities import Identities
from doamc.estimators.intervals import NORMAL_90


def burst(stop_s, azimuth_deg, offset_hz=0.0, std_deg=0.3, power_db=0.0):
    source = {"azimuth_deg": azimuth_deg, "std_deg": std_deg, "interval_deg": [None, None], "power_db": power_db}
    return {"stop_s": stop_s, "frequency_hz": 300e6 + offset_hz, "bandwidth_hz": 12.5e3, "sources": [source]}


def followed(*messages):
    identities = Identities(2.4e6)
    identities.follow_ended(messages)
    return [m["track"] for m in messages]


def test_bursts_of_one_emitter_have_one_number_and_those_of_others_their_own():
    assert followed(*(burst(1.0 + 2 * k, 20.0 + 0.2 * (-1) ** k) for k in range(6))) == [1] * 6
    here, there = [burst(1.0 + k, 20.0) for k in range(3)], [burst(1.5 + k, 60.0) for k in range(3)]
    assert followed(*here, *there) == [1] * 3 + [2] * 3  # one channel, two places
    other = [burst(1.5 + k, 20.0, 100e3) for k in range(3)]
    assert followed(*here, *other) == [1] * 3 + [2] * 3  # one place, two channels
    assert followed(burst(1.0, 20.0), burst(31.0, 20.3), burst(32.0, 20.1)) == [1] * 3  # after half a minute


def test_hops_between_two_channels_are_two_emitters_that_come_back():
    hops = [burst(1.0 + 0.5 * k, 20.0, 100e3 * (k % 2)) for k in range(6)]
    assert followed(*hops) == [1, 2] * 3


def test_two_sources_of_one_signal_have_two_numbers_and_the_strongest_is_the_signals():
    m = burst(1.0, 20.0)
    m["sources"] += burst(1.0, 80.0, power_db=3.0)["sources"]
    Identities(2.4e6).follow_ended([m])
    assert sorted(s["track"]["id"] for s in m["sources"]) == [1, 2]
    assert m["track"] == m["sources"][1]["track"]["id"]


def test_a_source_without_a_spread_has_no_track():
    assert followed(burst(1.0, 20.0, std_deg=None)) == [None]


def test_what_all_moments_share_is_not_averaged_away():
    identities = Identities(2.4e6, rate_std_deg_s=0.01)
    for k in range(50):
        m = burst(0.1 * k, 359.9 if k % 2 else 0.1, std_deg=0.5)
        identities.follow(0.1 * k, [m], [0.4])
    track = m["sources"][0]["track"]
    assert 0.4 < track["std_deg"] < 0.42  # of the 0.3 that are its own, 0.3 / sqrt(50) are left
    assert abs((track["azimuth_deg"] + 180) % 360 - 180) < 0.1
    low, high = track["interval_deg"]
    assert high - low == pytest.approx(2 * NORMAL_90 * track["std_deg"], rel=0.02)
    assert (low + high) / 2 == pytest.approx(track["azimuth_deg"], abs=0.02)
