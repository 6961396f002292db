"""The misfit of posteriors: standard on the model of every kind, and told where the model is wrong."""

import math

import pytest
import torch

from doamc.estimators.engine import estimate_batch
from doamc.posterior.methods import Posterior
from doamc.snapshots import make_batch
from doamc.trials.mismatch import ROWS

BATCHES = 24


def estimates(name, count=BATCHES, **options):
    trial = ROWS[name].make(count, torch.Generator().manual_seed(2))
    return estimate_batch(Posterior(trial.spec, **options), make_batch(trial.snapshots), trial.told)


@pytest.mark.parametrize(
    "name",
    ["model-ula8-20-0dB", "model-ula8-200-10dB", "model-ula8-200-40dB", "model-uca5-200-0dB", "model-kraken5-200-10dB",
     "model-dipole8-20-10dB", "model-oversampled-16", "model-oversampled-4-noise-too"],
)  # fmt: skip
def test_on_the_model_it_is_standard_and_nothing_is_doubtful(name):
    e = estimates(name)
    # four standard errors of the mean, and of the deviation with the tail that a quadratic form has
    assert abs(float(e.misfit.mean())) < 4 / math.sqrt(BATCHES)
    assert 0.4 < float(e.misfit.std()) < 1.7
    assert int(e.doubtful.sum()) <= 1  # of 24, at 0.001 each


@pytest.mark.parametrize(
    "name",
    ["outside-75", "near-far-40", "close-4", "swapped", "copied", "deaf", "phase-60",
     "gain-6", "rough-1dB-10deg", "displaced-0.02", "outside-family-15", "coloured-0dB", "coherent", "near-field-8"],
)  # fmt: skip
def test_what_is_not_the_model_is_doubtful(name):
    assert estimates(name, 4, prior="narrow", noise="equal").doubtful.all()


def test_the_misfit_of_a_batch_does_not_depend_on_the_others():
    trial = ROWS["model-ula8-200-10dB"].make(3, torch.Generator().manual_seed(2))
    method = Posterior("ula8")
    whole = method(make_batch(trial.snapshots), 2).misfit
    alone = method(make_batch(trial.snapshots[1:2]), 2).misfit
    assert torch.allclose(whole[1:2], alone, atol=1e-9)
