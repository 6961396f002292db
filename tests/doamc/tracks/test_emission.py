import numpy as np
import pytest

from doamc.tracks.emission import after_slice, pass_time
from doamc.tracks.options import TrackerOptions

OPTIONS = TrackerOptions(on_s=2.0, off_s=6.0, lifetime_s=30.0)


def test_after_long_on_is_what_it_is_in_the_mean():
    exists, on = pass_time(np.array([1.0, 1.0]), np.array([1.0, 0.0]), 15.0, OPTIONS)
    np.testing.assert_allclose(on, 0.25, atol=1e-4)
    np.testing.assert_allclose(exists, np.exp(-0.5))


def test_two_steps_are_one():
    once = pass_time(np.array([0.7]), np.array([0.9]), 1.0, OPTIONS)
    twice = pass_time(*pass_time(np.array([0.7]), np.array([0.9]), 0.4, OPTIONS), 0.6, OPTIONS)
    np.testing.assert_allclose(once, twice, rtol=1e-12)


def test_a_slice_without_sighting_by_enumeration():
    r, a, d = 0.8, 0.6, 0.9
    seen_not = {"absent": 1 - r, "off": r * (1 - a), "missed": r * a * (1 - d)}
    total = sum(seen_not.values())
    exists, on, unseen = after_slice(np.array([r]), np.array([a]), np.array([1.0]), d)
    assert exists[0] == pytest.approx((seen_not["off"] + seen_not["missed"]) / total)
    assert on[0] == pytest.approx(seen_not["missed"] / (seen_not["off"] + seen_not["missed"]))
    assert unseen[0] == 1.0


def test_a_sighting_of_its_own_proves_it():
    exists, on, unseen = after_slice(np.array([0.1]), np.array([0.1]), np.array([0.0]), 0.9)
    assert (exists[0], on[0], unseen[0]) == (1.0, 1.0, 0.0)
