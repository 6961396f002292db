"""The wide prior where a batch does not fit that of the specification: bearings and intervals hold, others are left."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.angles import wrap_rad
from doamc.errors import EstimatorError
from doamc.estimates.estimate_file import estimate_arrays
from doamc.estimators.cause_names import cause_name
from doamc.estimators.engine import open_estimator
from doamc.posterior.methods import Posterior
from doamc.posterior.second_prior import or_wide
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS, run_row
from doamc.trials.mismatch.emitters import outside
from doamc.trials.mismatch.trial import draw_trial, uniform
from tests.doamc.posterior import mismatched
from tests.doamc.posterior.mismatched import assert_same, estimated

BATCHES = 24
#: of intervals of 90 %: three standard deviations of as many trials as batches, whose sources are not independent
LEAST_COVER = 0.9 - 3 * math.sqrt(0.9 * 0.1 / BATCHES)


@pytest.fixture(scope="module")
def ula8():
    return Posterior("ula8")


def row(name, count):
    return mismatched.row(name, count, seed=1)


@pytest.mark.parametrize(
    ("name", "cause"),
    [("near-far-20", "outside the prior"), ("near-far-40", "outside the prior"), ("close-4", "outside the prior"),
     ("close-2", "outside the prior"), ("outside-75", "outside the sector"),
     ("outside-beside-one", "outside the sector"), ("outside-75-auto", "outside the sector"),
     ("near-far-20-auto", "outside the prior"), ("close-4-auto", "outside the prior")],
)  # fmt: skip
def test_what_is_beyond_the_specification_is_found_and_held(ula8, name, cause):
    result = run_row(ROWS[name], ula8, BATCHES, seed=1).result()
    assert result["cover"] >= LEAST_COVER
    assert result["hits"] >= 0.95 and result["phantoms"] <= 2 / BATCHES  # at prior odds of 1 to 55
    assert result["flagged"] <= 2 / BATCHES  # as a batch of the model, and one that was not found
    assert result["causes"][cause] >= 0.9 * BATCHES


def test_an_emitter_at_the_end_of_a_line_is_held_with_its_mirror(ula8):
    result = run_row(ROWS["outside-90"], ula8, BATCHES, seed=1).result()
    assert result["cover"] >= 0.8  # at half a wavelength both ends of a line are one direction
    assert result["causes"] == {"outside the sector": BATCHES}


@pytest.mark.parametrize(("array", "range_db"), [("kraken5", 20.0), ("dipole8", 20.0), ("uca5", 40.0)])
def test_near_and_far_on_other_arrays(array, range_db):
    trial = draw_trial(12, torch.Generator().manual_seed(2), array, snr_db=10 + range_db, power_db=[0.0, -range_db])
    e = estimated(trial)
    error = wrap_rad(e.azimuth - trial.scene.azimuth.sort(1)[0]).abs()
    assert e.wide_prior.float().mean() >= 0.9 and not e.doubtful.any()
    assert float((error < 1.645 * e.std).double().mean()) >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / 12)


def test_emitters_at_half_the_least_separation_of_a_circle():
    first = uniform((12, 1), 20, 300, torch.Generator().manual_seed(1))
    azimuth = torch.cat([first, first + 20], 1)
    e = estimated(draw_trial(12, torch.Generator().manual_seed(2), "uca5", azimuth_deg=azimuth, power_db=[0.0, 0.0]))
    error = (e.azimuth - azimuth.double().deg2rad()).abs().rad2deg()
    assert float((error < 2.0).all(1).double().mean()) >= 0.6  # CRB: 0.9 deg each; 14 deg under the narrow prior
    assert e.wide_prior.all()


@pytest.mark.parametrize("told", [2, None])
def test_a_batch_that_fits_is_left_to_the_last_bit(told):
    trial = replace(draw_trial(24, torch.Generator().manual_seed(3)), told=told)
    auto, narrow = estimated(trial), estimated(trial, prior="narrow")
    fits = ~narrow.doubtful
    assert fits.sum() >= 23 and not auto.wide_prior[fits].any() and narrow.wide_prior is None
    assert_same(auto, narrow, fits, but=["wide_prior"])


def test_one_observation_that_does_not_fit_changes_no_other():
    good, bad = draw_trial(3, torch.Generator().manual_seed(3), sources=1), outside(1, torch.Generator(), 75.0)
    mixed = make_batch(torch.cat([good.snapshots[:2], bad.snapshots, good.snapshots[2:]]))
    method = Posterior("ula8")
    e, alone = method(mixed, 1), method(make_batch(good.snapshots), 1)
    assert e.wide_prior.tolist() == [False, False, True, False]
    assert torch.equal(e.azimuth[[0, 1, 3]], alone.azimuth) and torch.equal(e.coupling[[0, 1, 3]], alone.coupling)
    assert abs(float(e.azimuth[2].rad2deg()) - 75) < 1


def test_narrow_never_and_wide_always():
    trial = row("outside-75", 4)
    narrow, wide, auto = (estimated(trial, prior=p) for p in ("narrow", "wide", "auto"))
    assert (narrow.azimuth.rad2deg() < 60).all() and narrow.doubtful.all() and narrow.wide_prior is None
    assert torch.equal(auto.azimuth, wide.azimuth) and torch.equal(auto.std, wide.std) and auto.wide_prior.all()
    assert wide.wide_prior is None and (wide.fit_cause == 0).all()  # its prior is the one that was asked for
    on_model = draw_trial(4, torch.Generator().manual_seed(3), power_db=[0.0, -3.0])
    e = estimated(on_model, prior="wide")
    assert float((e.azimuth - on_model.scene.azimuth.sort(1)[0]).abs().rad2deg().max()) < 1


@pytest.mark.parametrize("prior", ["auto", "narrow", "wide"])
def test_the_option_by_name(prior):
    assert open_estimator(f"posterior:prior={prior}", load_spec("ula8"), 1, "cpu", 0).prior == prior


def test_another_prior_is_refused():
    with pytest.raises(EstimatorError, match="prior must be one of auto, narrow, wide"):
        Posterior("ula8", prior="flat")


def test_what_the_wide_prior_explains_has_no_model_error_and_channels_that_are_off_stay():
    e = estimated(row("outside-75", 8))
    assert e.model_error_db.isnan().all(1).float().mean() >= 0.5  # five of six on the model
    rough, narrow = estimated(row("rough-1dB-10deg", 8)), estimated(row("rough-1dB-10deg", 8), prior="narrow")
    assert not rough.wide_prior.any() and torch.equal(rough.azimuth, narrow.azimuth)
    assert torch.equal(rough.std, narrow.std) and rough.doubtful.all()


def test_files_tell_the_prior_where_it_was_the_wide_one():
    arrays = estimate_arrays(estimated(row("outside-75", 2)))
    assert arrays["fit_prior"].tolist() == ["wide", "wide"]
    assert arrays["fit_cause"].tolist() == ["outside the sector"] * 2 and not arrays["fit_doubtful"].any()
    assert "fit_prior" not in estimate_arrays(estimated(draw_trial(2, torch.Generator().manual_seed(3))))


def test_a_wide_answer_that_is_no_better_is_not_taken():
    first = estimated(row("outside-75", 3), prior="narrow")
    second = replace(first, azimuth=first.azimuth + 1)
    kept = or_wide(first, lambda places: second.select(places))
    assert torch.equal(kept.azimuth, first.azimuth) and not kept.wide_prior.any()
    better = replace(second, misfit=0.3 * first.misfit)
    assert torch.equal(or_wide(first, lambda places: better.select(places)).azimuth, second.azimuth)
    assert cause_name(int(first.fit_cause[0])) == "outside the sector"
