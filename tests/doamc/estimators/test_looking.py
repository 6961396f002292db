"""Batches are looked at once, and what was found goes with them."""

import numpy as np
import pytest
import torch

from doamc.estimators.level import scaled_batch
from doamc.estimators.looking import looked_at
from doamc.snapshots import make_batch
from doamc.snapshots.look import look_by_numpy


def batch():
    return make_batch(torch.randn(3, 4, 60, dtype=torch.complex128, generator=torch.Generator().manual_seed(0)))


def test_a_batch_is_looked_at_once():
    one = batch()
    assert looked_at(one) is one
    found = one.look
    assert looked_at(one.noted(left_out=torch.zeros(3))).look is found


@pytest.mark.parametrize("compiled", [False, True])
def test_a_level_changes_nothing_but_the_lag(compiled):
    one, gain = batch(), torch.tensor([2.0**-30, 1.0, 2.0**25], dtype=torch.float64)
    if compiled:
        looked_at(one)
    one.look  # noqa: B018
    scaled = scaled_batch(one, gain)
    for name, found, expected in zip(
        scaled.look._fields, scaled.look, look_by_numpy(scaled.snapshots, scaled.eigen), strict=True
    ):
        assert np.allclose(found, expected, rtol=1e-9, atol=0), name


def test_without_compiled_loops_numpy_looks(monkeypatch):
    one, other = looked_at(batch()), batch()
    monkeypatch.setattr("doamc.estimators.looking.loops_for", lambda device: None)
    assert "look" not in vars(looked_at(other))
    for found, expected in zip(one.look, other.look, strict=True):
        assert np.allclose(found, expected, rtol=1e-11)
