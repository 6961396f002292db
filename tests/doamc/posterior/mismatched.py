"""Batches that do not fit the specification, and what `posterior` makes of them."""

from dataclasses import fields

import numpy as np
import torch

from doamc.estimators.engine import estimate_batch
from doamc.posterior.methods import Posterior
from doamc.snapshots import make_batch
from doamc.trials.mismatch import ROWS


def row(name, count, seed):
    """A trial of that many batches of a row of the table of mismatches."""
    return ROWS[name].make(count, torch.Generator().manual_seed(seed))


def estimated(trial, **options):
    """Estimates of a trial by `posterior` with these options, sources told or counted as the trial has it."""
    return estimate_batch(Posterior(trial.spec, **options), make_batch(trial.snapshots), trial.told)


def assert_same(one, other, where, but=()):
    """Estimates are the same to the last bit in these observations, but for some fields."""
    for name in [f.name for f in fields(other) if f.name not in but]:
        expected = getattr(other, name)
        if expected is not None:
            np.testing.assert_array_equal(getattr(one, name)[where].numpy(), expected[where].numpy(), name)
