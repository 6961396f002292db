"""Causes of a bad fit are found on the rows that have them, and nowhere is one named without doubt."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.angles import wrap_rad
from doamc.estimators import make_estimator
from doamc.estimators.cause_names import CAUSES, CHANNEL, cause_name
from doamc.estimators.engine import estimate_batch
from doamc.estimators.hypotheses import Hypothesis
from doamc.estimators.walls import directions
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS

NAMED = [name for name, row in ROWS.items() if row.cause is not None]
BATCHES = 4


def found_in(name, estimator, seed=12):
    trial = ROWS[name].make(BATCHES, torch.Generator().manual_seed(seed))
    e = estimate_batch(estimator, make_batch(trial.snapshots), trial.told)
    return [cause_name(int(k)) for k in e.fit_cause]


@pytest.fixture(scope="module")
def posterior():
    return make_estimator("posterior", "ula8")


@pytest.mark.parametrize("name", NAMED)
def test_what_is_wrong_is_named(name, posterior):
    told = [
        t for t in found_in(name, posterior) if t != "none"
    ]  # impulses and offsets that were taken out do not count
    assert told.count(ROWS[name].cause) >= 0.5 * len(told), told


@pytest.mark.parametrize("name", ["two-told-1", "deaf", "gain-6", "coherent"])
def test_a_method_without_samples_names_it_too(name):
    told = found_in(name, make_estimator("ml", "ula8"))
    assert told.count(ROWS[name].cause) >= 3, told


@pytest.mark.parametrize("method", ["ml", "music"])
def test_where_no_range_is_assumed_none_is_left(method):
    """An array free of coupling lies outside the prior of ula8, not of methods that assume none or any."""
    assert found_in("uncoupled", make_estimator(method, "ula8")) == ["none"] * BATCHES


@pytest.mark.parametrize("name", ["model-ula8-200-10dB", "model-one", "spacing-0.45"])
def test_where_nothing_is_doubtful_no_cause_is_named(name, posterior):
    assert found_in(name, posterior) == ["none"] * BATCHES


def test_channels_are_numbered_as_the_receiver_has_them():
    assert cause_name(CHANNEL + 3) == "channel 3 off"
    assert cause_name(CHANNEL + 3, channels=[0, 3, 1, 2]) == "channel 1 off"
    assert cause_name(CAUSES.index("impulses")) == "impulses"


def upward(array, fault, batches=2):
    """Two emitters of the prior at 10 dB of an array with elevations, received with a fault; how many are told."""
    spec, g = load_spec(array), torch.Generator().manual_seed(4)
    sources = 3 if fault == "one more source" else 2
    scene = draw_scene(spec, batches, sources, 10.0, g)
    if fault == "outside the sector":
        elevation = scene.elevation.clone()
        elevation[:, 1] = math.radians(82.0 if array == "dome8" else 58.0)
        scene = replace(scene, elevation=elevation)
    received = receive(scene, 200, "gaussian", g)
    y, noise = received.snapshots, received.snapshots - received.clean
    if fault == "channel 3 off":
        y[:, 3] = noise[:, 3]
    if fault == "unequal noise":
        y = received.clean + noise * torch.linspace(0.6, 1.8, spec.n_elements, dtype=torch.float64)[:, None]
    return spec, make_batch(y), min(sources, 2)


@pytest.mark.parametrize("fault", ["one more source", "channel 3 off", "unequal noise", "outside the sector"])
@pytest.mark.parametrize("array", ["dome8", "panel16"])
def test_arrays_with_elevations_name_what_is_wrong(array, fault):
    spec, batch, told = upward(array, fault)
    e = estimate_batch(make_estimator("posterior", spec), batch, told)
    assert [cause_name(int(k)) for k in e.fit_cause] == [fault] * batch.size


def test_models_of_an_array_lie_on_the_side_that_it_looks_to():
    """A panel hears front and back alike, a circle above and below; what is fitted has no walls."""
    for array, other in (("panel16", lambda a, e: (math.pi - a, e)), ("dome8", lambda a, e: (a, -e))):
        h = Hypothesis(load_spec(array), 2)
        azimuth, elevation = torch.tensor([[0.3, -0.4], [0.5, 0.2]], dtype=torch.float64)
        rest = torch.zeros(sum(h.sizes) - 4, dtype=torch.float64)
        for a, e in ((azimuth, elevation), other(azimuth, elevation)):
            x = torch.cat([a, e, rest])
            assert torch.allclose(h.response(x[None]), h.response(torch.cat([azimuth, elevation, rest])[None]))
            turn, tilt = directions(h, x)
            assert torch.allclose(tilt, elevation) and torch.allclose(wrap_rad(turn - azimuth), 0 * azimuth)
