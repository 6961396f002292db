"""Snapshots that no wave explains are left out where the batch does not fit; bursts of the emitters stay."""

import math

import pytest
import torch

from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.estimators.outliers import outliers
from doamc.snapshots.batch import make_batch
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS
from tests.doamc.helpers.scenes import angle_error

SPEC = load_spec("ula8")


def trial_of(row, batches=6, seed=0):
    return ROWS[row].make(batches, torch.Generator().manual_seed(seed))


def rms(e, trial):
    return float(angle_error(e.azimuth, trial.scene.azimuth).square().mean().sqrt())


@pytest.mark.parametrize("method", ["posterior", "ml", "map"])
def test_one_spoilt_snapshot_of_200_costs_what_one_snapshot_does(method):
    """60 dB too large in all channels: the errors are those of 199 snapshots, 0.25 % more, and of nothing else."""
    spoilt, clean = trial_of("wild-snapshot-60"), trial_of("model-ula8-200-10dB")
    estimator = open_estimator(method, SPEC, 2, "cpu", 0)
    e = estimator(make_batch(spoilt.snapshots), 2)
    assert e.left_out.tolist() == [1] * 6
    assert int(e.doubtful.sum()) <= 1  # at 0.001 each
    y = torch.cat([spoilt.snapshots[:, :, :50], spoilt.snapshots[:, :, 51:]], 2)
    without = estimator(make_batch(y), 2)
    assert float(angle_error(e.azimuth, without.azimuth).abs().max()) < math.radians(0.05)
    assert rms(e, spoilt) < 1.5 * rms(estimator(make_batch(clean.snapshots), 2), clean)  # of 12 errors each


def test_the_number_of_sources_is_counted_without_it():
    spoilt = trial_of("wild-snapshot-60", 3)
    e = estimate_batch(open_estimator("posterior", SPEC, None, "cpu", 0), make_batch(spoilt.snapshots), None)
    assert e.n_sources.tolist() == [2, 2, 2]
    assert e.left_out.tolist() == [1, 1, 1]


def test_bursts_of_the_reported_emitters_stay():
    """Emitters that are on for 2 % of the time are outstanding in power, and lie in the span of their responses."""
    trial = trial_of("burst-2-percent", 4)
    batch = make_batch(trial.snapshots)
    e = open_estimator("posterior", SPEC, 2, "cpu", 0)(batch, 2)
    assert e.left_out is None or not e.left_out.any()
    assert not outliers(SPEC, batch, e).any()


def test_a_snapshot_outside_the_span_is_an_outlier_and_no_other():
    trial = trial_of("model-ula8-200-10dB", 2)
    y = trial.snapshots.clone()
    e = open_estimator("ml", SPEC, 2, "cpu", 0)(make_batch(y), 2)
    direction = torch.randn(8, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    y[1, :, 7] = 100 * torch.view_as_complex(direction)
    assert outliers(SPEC, make_batch(y), e).nonzero().tolist() == [[1, 7]]
