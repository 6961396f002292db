"""Filters that part emitters: the posterior mean, phases from one to the next, places without emitters."""

import numpy as np
import pytest

from doamc.denoising.bearing_tracks import BearingTracks
from doamc.denoising.separation import Separator, responses, turned, wiener
from doamc.errors import EstimatorError

POSITIONS = np.array([[0.0, 0.5 * m, 0.0] for m in range(6)])


def normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def updated(separator, azimuth, samples, power=None, v=None):
    power = np.ones(len(azimuth)) if power is None else power
    v = responses(POSITIONS, None, azimuth) if v is None else v
    return separator.update(v, azimuth, power, 0.1, samples, time_s=0.0)


def test_the_filter_is_the_posterior_mean():
    """E[s | y] = P V^H (V P V^H + s2 I)^-1 y, the other way to write it."""
    v, p = normal(np.random.default_rng(1), 6, 3), np.array([1.0, 0.5, 2.0])
    wanted = (p[:, None] * v.conj().T) @ np.linalg.inv((v * p) @ v.conj().T + 0.1 * np.eye(6))
    assert np.allclose(wiener(v, p, 0.1), wanted)


def test_phases_go_on_where_responses_are_turned():
    """The same scene with responses of other phases gives the same outputs as before."""
    rng = np.random.default_rng(2)
    samples, separator = normal(rng, 6, 100), Separator(BearingTracks(2), 6)
    assert updated(separator, [-10.0, 20.0], samples) == [True, True]
    first = separator.filters.copy()
    v = responses(POSITIONS, None, [-10.0, 20.0]) * np.exp([1j, -2j])
    assert updated(separator, [-10.0, 20.0], samples, v=v) == [False, False]
    assert np.allclose(separator.filters, first)
    assert np.allclose(turned(first, 0 * first, samples), first)


def test_what_has_no_place_or_was_missed_is_kept_out_all_the_same():
    """30 dB below the other at least: the source that has no stream, then the track that an estimate has missed."""
    samples, separator = normal(np.random.default_rng(3), 6, 100), Separator(BearingTracks(2), 6)
    v = responses(POSITIONS, None, [-30.0, 0.0, 30.0])
    updated(separator, [-30.0, 0.0, 30.0], samples, np.array([0.1, 1.0, 1.0]))
    assert np.abs(separator.filters @ v[:, 0]).max() < 0.2
    updated(separator, [30.0], samples)
    gain = np.abs(separator.filters @ v)
    assert gain[1, 1] < 0.05 and gain[1, 2] > 0.9 and gain[0, 1] > 0.9


def test_empty_places_are_zero_and_bad_scenes_are_refused():
    samples, separator = normal(np.random.default_rng(4), 6, 100), Separator(BearingTracks(2), 6)
    updated(separator, [5.0], samples)
    assert not separator.filters[1].any() and separator.filters[0].any()
    for power in (np.array([0.0]), np.array([np.nan])):
        with pytest.raises(EstimatorError, match="expected finite responses and positive powers"):
            updated(separator, [5.0], samples, power)


def test_responses_of_emitters_above_the_horizon():
    """Phases are the projections on the direction; at the zenith those of z alone."""
    positions = np.array([[0.0, 0.0, 0.0], [0.3, 0.1, 0.0], [0.2, 0.0, 0.25]])
    v = responses(positions, None, [20.0, 70.0], [90.0, 30.0])
    np.testing.assert_allclose(np.angle(v[:, 0]), [0.0, 0.0, np.pi / 2], atol=1e-12)
    unit = [np.cos(np.radians(30)) * np.cos(np.radians(70)), np.cos(np.radians(30)) * np.sin(np.radians(70)), 0.5]
    np.testing.assert_allclose(v[:, 1], np.exp(2j * np.pi * positions @ unit))
    flat = responses(positions, None, [20.0, 70.0])
    np.testing.assert_allclose(responses(positions, None, [20.0, 70.0], [0.0, 0.0]), flat)
