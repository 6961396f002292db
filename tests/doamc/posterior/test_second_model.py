"""What a receiver does to a batch is taken into account where it explains it: bearings and intervals hold again."""

import math

import pytest
import torch

from doamc.angles import wrap_rad
from doamc.errors import EstimatorError
from doamc.estimators.cause_names import cause_name, model_words, swapped
from doamc.estimators.engine import open_estimator
from doamc.posterior.methods import Posterior
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch.trial import draw_trial
from tests.doamc.posterior import mismatched
from tests.doamc.posterior.mismatched import assert_same, estimated

BATCHES = 6


def row(name, seed=5, count=BATCHES):
    return mismatched.row(name, count, seed)


@pytest.mark.parametrize(
    ("name", "model", "worst_deg"),
    [("swapped", "channels 2 and 3 swapped", 1.0), ("deaf", "channel 3 left out", 1.0),
     ("noisy-channel-6", "noise by channel", 1.0), ("coloured-0dB", "coloured noise", 3.0),
     ("common-mode", "common mode", 1.0)],
)  # fmt: skip
def test_what_is_wrong_is_undone(name, model, worst_deg):
    trial = row(name)
    e = estimated(trial)
    told = [model_words(int(r), bool(w)) for r, w in zip(e.remedy, e.wide_prior, strict=True)]
    assert told.count(model) >= BATCHES - 1, told
    there = torch.tensor([words == model for words in told])
    assert not e.doubtful[there].any()
    error = wrap_rad(e.azimuth - trial.scene.azimuth.sort(1)[0]).abs()[there]
    assert float(error.max()) < math.radians(worst_deg)  # ten times its deviation; without it 30 deg of swapped cables
    # of 10 to 12 intervals of 90 %, three standard deviations of as many trials as batches
    inside = (error <= 1.645 * e.std[there]).double().mean()
    assert float(inside) >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / BATCHES)


def test_a_deaf_channel_of_a_circle_of_drawn_antennas():
    trial = row("deaf-kraken5", count=4)
    e = estimated(trial)
    assert [cause_name(int(k)) for k in e.fit_cause] == ["channel 3 off"] * 4 and not e.doubtful.any()


def test_swaps_that_a_circle_cannot_tell_apart_are_both_in_the_interval():
    """Channels 2 and 3 of five, or 1 and 4: the same, with all bearings mirrored."""
    trial = row("swapped-uca5", count=6)
    e = estimated(trial)
    both = torch.tensor([cause_name(int(k)) == "channels swapped" for k in e.fit_cause])
    assert both.sum() >= 4
    true = trial.scene.azimuth.sort(1)[0]
    error = wrap_rad(e.azimuth - true).abs()
    swapped_over = wrap_rad(e.azimuth - true.flip(1)).abs()  # mirrored, they may come in the other order
    error = torch.where((swapped_over.sum(1) < error.sum(1))[:, None], swapped_over, error)
    assert float((error <= 1.645 * e.std)[both].double().mean()) >= 0.75
    assert (e.mode_share[both] > 0).sum(1).min() >= 2 and (e.mode_share[both].sum(1) <= 1 + 1e-9).all()


@pytest.mark.parametrize("told", [2, None])
def test_a_batch_that_fits_is_left_to_the_last_bit(told):
    trial = draw_trial(24, torch.Generator().manual_seed(3), told=told)
    auto, equal = estimated(trial), estimated(trial, noise="equal")
    fits = ~equal.doubtful
    assert fits.sum() >= 23 and not auto.remedy[fits].any() and equal.remedy is None
    assert_same(auto, equal, fits)


def test_a_batch_does_not_depend_on_others():
    good, bad = draw_trial(2, torch.Generator().manual_seed(3)), row("deaf", count=1)
    method = Posterior("ula8")
    e = method(make_batch(torch.cat([good.snapshots, bad.snapshots])), 2)
    assert torch.equal(e.azimuth[:2], method(make_batch(good.snapshots), 2).azimuth)
    assert torch.equal(e.azimuth[2:], method(make_batch(bad.snapshots), 2).azimuth)
    assert (e.remedy > 0).tolist() == [False, False, True]


def test_noise_of_each_channel_where_it_is_asked_for():
    on_model, unequal = draw_trial(6, torch.Generator().manual_seed(3)), row("unequal-3", count=6)
    for trial in (on_model, unequal):
        e = estimated(trial, noise="channels")
        assert [model_words(int(k), False) for k in e.remedy] == ["noise by channel"] * 6
        assert (e.fit_cause == 0).all()  # it was asked for, and is no fault
        assert float((e.azimuth - trial.scene.azimuth.sort(1)[0]).abs().rad2deg().max()) < 1
    equal = estimated(on_model, noise="equal")
    moved = estimated(on_model, noise="channels").azimuth - equal.azimuth
    assert float(moved.square().mean().sqrt()) < float(equal.std.mean())  # what is not there costs little


@pytest.mark.parametrize(("name", "model"), [("coherent", "coherent paths"), ("correlated-0.9", "coherent paths")])
def test_correlated_sources_are_tried_where_nothing_else_fits(name, model):
    trial = row(name, count=6)
    e = estimated(trial)
    told = [model_words(int(k), False) for k in e.remedy]
    assert told.count(model) >= 5, told
    error = (e.azimuth - trial.scene.azimuth.sort(1)[0]).abs().rad2deg()
    assert float(error.median()) < 0.5  # five deviations; 1.2 deg r.m.s. as uncorrelated sources


def test_a_constant_of_the_converters_that_could_be_a_carrier_is_removed():
    trial = row("offset-strong", 0, 24)
    e = estimated(trial)
    assert not e.doubtful.any() and "mean removed" in {model_words(int(k), False) for k in e.remedy}
    assert float((e.azimuth - trial.scene.azimuth.sort(1)[0]).abs().rad2deg().max()) < 1


def test_coloured_noise_alone_holds_no_source():
    e = estimated(row("coloured-alone-auto", count=6))
    coloured = torch.tensor([cause_name(int(k)) == "coloured noise" for k in e.fit_cause])
    assert coloured.sum() >= 2 and (e.n_sources[coloured] == 0).all()


def test_a_known_noise_power_is_believed():
    trial = row("unequal-3", count=2)
    e = Posterior("ula8")(make_batch(trial.snapshots, noise_power=trial.scene.noise_power), 2)
    assert not e.remedy.any()


@pytest.mark.parametrize("noise", ["auto", "equal", "channels"])
def test_the_option_by_name(noise):
    assert open_estimator(f"posterior:noise={noise}", load_spec("ula8"), 1, "cpu", 0).noise == noise


def test_another_noise_is_refused():
    with pytest.raises(EstimatorError, match="noise must be one of auto, equal, channels"):
        Posterior("ula8", noise="white")


def test_pairs_have_names():
    assert cause_name(swapped(2, 5)) == "channels 2 and 5 swapped"
    assert cause_name(swapped(2, 5), channels=[7, 6, 5, 4, 3, 2, 1, 0]) == "channels 2 and 5 swapped"
    assert cause_name(swapped(0, 5), channels=[7, 6, 5, 4, 3, 2, 1, 0]) == "channels 2 and 7 swapped"
