"""A band live: what is told when, of signals with and without a place, that last and that end."""

from dataclasses import replace

import numpy as np
import pytest

from doamc.bands.bearings import Bearings
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.finder import SignalFinder
from doamc.bands.live import LiveBand, Told
from doamc.bands.placing import Placer
from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene
from doamc.spec import load_spec
from tests.doamc.bands.captures import CENTRE_HZ, RATE_HZ, emitter, grid

SPEC = load_spec("uca5")
LONG = emitter("nfm", -60e3, 12.5e3, 40.0, 20.0)
BURST = emitter("4fsk", 30e3, 12.5e3, 200.0, 15.0, ((0.0, 0.12),))


def live(hang_s=0.1, update_s=0.1):
    estimator = SignalEstimator(Receiver(SPEC, SPEC.channels, CENTRE_HZ), "music", 1)
    finder = SignalFinder(grid(), 5, hang_s=hang_s)
    return LiveBand(finder, Told("uca5", "music", SPEC.channels), Placer(Bearings(estimator, False)), update_s)


def samples(seconds, *emitters):
    return receive_band(SPEC, BandScene(CENTRE_HZ, RATE_HZ, seconds, 1, emitters))


def place(band, most=4):
    wanted = band.wanted(most)
    return band.placed(band.placer(wanted, band.alive))


def test_signals_are_told_at_every_update_with_a_direction_once_they_have_a_place():
    band, y = live(), samples(0.6, LONG)
    half = y.shape[1] // 2
    before = band.push(y[:, :half])
    assert band.updates == band.finder.slices // band.every and len(before) == band.updates
    assert all(m["n_sources"] == 0 and not m["ended"] for m in before)
    assert [s.id for s in band.wanted(4)] == [1] and band.alive == {1} and not band.has_place(1)
    assert place(band) == []  # nothing has ended
    after = band.push(y[:, half:])
    assert band.has_place(1) and band.wanted(4) == []
    assert len(after) >= 2
    for m in after:
        assert m["sources"][0]["azimuth_deg"] == pytest.approx(40.0, abs=3.0)
    assert len({m["sources"][0]["azimuth_deg"] for m in after}) == len(after)  # each of its own samples
    (last,) = band.finish()
    assert last["ended"] and last["stop_s"] == pytest.approx(0.6, abs=0.01) and band.unplaced == 0


def test_one_that_ends_before_it_has_a_place_is_told_when_it_has():
    band = live()
    told = band.push(samples(0.5, BURST))
    assert told and not any(m["ended"] for m in told)
    (wanted,) = band.wanted(4)
    (last,) = place(band)
    assert last["ended"] and last["id"] == wanted.id
    assert last["sources"][0]["azimuth_deg"] == pytest.approx(200.0, abs=3.0)
    assert band.alive == frozenset() and band.finish() == []


def test_one_without_a_place_is_told_without_a_direction_at_the_end():
    given_up, left = live(), live()
    for band in (given_up, left):
        band.push(samples(0.5, BURST))
    (last,) = given_up.give_up(given_up.wanted(4))
    assert last["ended"] and last["n_sources"] == 0 and given_up.unplaced == 1
    (last,) = left.finish()
    assert last["ended"] and last["n_sources"] == 0 and left.unplaced == 1


def test_those_without_a_place_come_first_and_old_places_are_looked_for_anew():
    band = live(hang_s=1.0)
    other = emitter("nfm", 60e3, 12.5e3, 120.0, 10.0)
    y = samples(0.3, LONG, other)
    band.push(y)
    band.update()
    strong, weak = band.wanted(2)
    assert strong.snr_db > weak.snr_db + 5
    band.placed(band.placer([strong], band.alive))
    assert [s.id for s in band.wanted(2)] == [weak.id]
    place(band)
    assert band.wanted(2) == []
    slices = round(3.5 / grid().slice_s)
    repeated = np.tile(y, (1, slices * grid().slice_samples // y.shape[1]))
    band.push(repeated)
    assert {s.id for s in band.wanted(2)} == {strong.id, weak.id}


def test_a_place_from_when_little_was_known_of_the_array_is_looked_for_anew():
    band = live(hang_s=1.0)
    band.push(samples(0.3, LONG, emitter("nfm", 60e3, 12.5e3, 120.0, 10.0)))
    band.update()
    early, late = band.placer(band.wanted(2), band.alive)
    for shared, wanted in ((1, []), (2, []), (3, [early.signal.id])):
        band.placed([early, replace(late, bearing=replace(late.bearing, shared=shared))])
        assert [s.id for s in band.wanted(2)] == wanted


def test_a_place_that_came_too_late_is_left_out():
    band = live()
    y = samples(0.5, BURST)
    band.push(y)
    wanted = band.wanted(4)
    band.give_up(wanted)
    assert band.placed(band.placer(wanted, band.alive)) == [] and not band.has_place(wanted[0].id)
