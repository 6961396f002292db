"""Causes of a bad fit are found on the rows that have them, and nowhere is one named without doubt."""

import pytest
import torch

from doamc.estimators import make_estimator
from doamc.estimators.causes import CAUSES, CHANNEL, cause_name
from doamc.estimators.engine import estimate_batch
from doamc.snapshots import make_batch
from doamc.trials.mismatch import ROWS

NAMED = [name for name, row in ROWS.items() if row.cause is not None]
BATCHES = 5


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
