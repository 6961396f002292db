"""Places of signals: what a whole estimate leaves for the updates in between."""

import math

import pytest
import torch

from doamc.bands.bearings import Bearings
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.placing import Placer, ordered, refined, rows_of
from doamc.spec import load_spec
from tests.doamc.bands.test_estimator import covariance_of, signal

SPEC = load_spec("ula8")


def placer(channels=None, n_sources=1, one_array=False, spec=SPEC):
    receiver = Receiver(spec, channels or spec.channels, 300e6)
    return Placer(Bearings(SignalEstimator(receiver, "music", n_sources), one_array))


def test_an_update_follows_what_has_moved_since():
    (place,) = placer()([signal(covariance_of(SPEC, [20.0]))], frozenset())
    (now,) = refined([place], [signal(covariance_of(SPEC, [21.0]))], rows_of(SPEC.channels))
    moved = math.degrees(float(now.azimuth[0, 0] - place.local.azimuth[0]))
    assert moved == pytest.approx(1.0, abs=0.05)  # of the response's third order
    assert float(now.power[0, 0] / place.power[0]) == pytest.approx(1.0, rel=0.02)


def test_channels_that_are_swapped_come_to_their_elements():
    channels = (2, 0, 1, 3, 4, 5, 7, 6)  # element of each
    c = covariance_of(SPEC, [20.0])
    assert torch.equal(ordered(c[list(channels)][:, list(channels)], rows_of(channels)), c)
    swapped = signal(c[list(channels)][:, list(channels)])
    (place,) = placer(channels)([swapped], frozenset())
    (now,) = refined([place], [swapped], rows_of(channels))
    assert math.degrees(float(now.azimuth[0, 0])) == pytest.approx(20.0, abs=0.1)


def test_signals_of_one_and_of_two_sources_are_refined_together():
    one, two = signal(covariance_of(SPEC, [20.0])), signal(covariance_of(SPEC, [-30.0, 25.0]), number=2)
    places = placer()([one], frozenset()) + placer(n_sources=2)([two], frozenset())
    first, second = refined(places, [one, two], rows_of(SPEC.channels))
    assert first.azimuth.shape == (1, 1) and second.azimuth.shape == (1, 2)
    assert torch.rad2deg(second.azimuth)[0].tolist() == pytest.approx([-30.0, 25.0], abs=0.2)


def test_what_samples_do_not_explain_of_an_error_is_shared():
    """An estimate of this many snapshots is as good as they are: what is shared is less than what is their own."""
    s = signal(covariance_of(SPEC, [20.0]))
    (place,) = placer()([s], frozenset())
    (now,) = refined([place], [s], rows_of(SPEC.channels))
    whole = float(place.bearing.estimates.std[0, 0])
    assert float(place.shared[0]) == pytest.approx(math.sqrt(max(0.0, whole**2 - float(now.std[0, 0]) ** 2)))


def test_signals_teach_once_while_they_last():
    small = load_spec("ula4")
    p = placer(one_array=True, spec=small)
    told = [signal(covariance_of(small, [a]), number=k) for k, a in enumerate((20.0, -30.0))]
    alive = frozenset({0, 1})
    p(told, alive)
    first = p.bearings._taught
    p(told, alive)
    assert first == p.bearings._taught == 2
    p(told[:1], frozenset({1}))  # it has ended: its number will not come again
    p(told[:1], alive)
    assert p.bearings._taught == 3
