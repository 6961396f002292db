"""What a look at samples finds is what its definition says."""

import numpy as np
import pytest
import torch

from doamc.snapshots import make_batch
from doamc.snapshots.look import BESIDE, calm_part, look_by_numpy, sample_step, threshold

SAMPLES = np.random.default_rng(0).standard_normal((3, 5, 90, 2)) @ [1, 1j]


def look(y):
    batch = make_batch(torch.from_numpy(y))
    return look_by_numpy(batch.snapshots, batch.eigen)


def line(channel):
    """Power at 0 Hz over the mean of those beside it, by sums of waves."""
    time = np.arange(len(channel)) / len(channel)
    power = [abs((channel * np.exp(-2j * np.pi * k * time)).sum()) ** 2 for k in range(-BESIDE, BESIDE + 1)]
    return power[BESIDE] / np.mean(power[:BESIDE] + power[BESIDE + 1 :])


def test_figures_are_those_of_their_definitions():
    y = SAMPLES.copy()
    y[1] += 3  # an offset
    y[2, 1, 17] = 50  # an impulse
    y[2, :, 40:50] = 0  # a gap
    found = look(y)
    assert found.heard.tolist() == [90, 90, 80]
    for b, of in enumerate(y):
        heard = of[:, of.any(0)]
        power = np.abs(heard) ** 2
        assert found.kurtosis[b] == pytest.approx((np.mean(power**2, 1) / np.mean(power, 1) ** 2).max(), rel=1e-12)
        assert found.line[b] == pytest.approx(np.sort([line(c) for c in heard])[2], rel=1e-10)
        mean, covariance = of.mean(1), of @ of.conj().T / 90
        assert found.mean_share[b] == pytest.approx((mean.conj() @ np.linalg.solve(covariance, mean)).real, rel=1e-12)
        lag = sum(np.outer(of[:, t + 1], of[:, t].conj()) for t in range(89))
        assert found.lag[b] == pytest.approx(lag, abs=1e-11)
    assert found.calm.tolist() == [True, True, False]
    assert found.correlated.tolist() == [False, True, False]


def test_calm_is_what_no_channel_exceeds():
    level = np.log(2) / calm_part(5, 90)  # of a median of log(2)
    assert level == pytest.approx(threshold(5, 90)) and sample_step(90) == 1
    y = np.full((2, 5, 90), np.sqrt(np.log(2)), np.complex128)
    y[:, 3, 30] = np.sqrt([0.999 * level, 1.001 * level])
    assert look(y).calm.tolist() == [True, False]


@pytest.mark.parametrize("length", [1, 2, 15, 4 * BESIDE])
def test_few_snapshots_have_no_line(length):
    found = look(SAMPLES[:, :, :length])
    assert found.line.tolist() == [0, 0, 0]
    assert length >= 16 or not found.correlated.any()


def test_slices_are_as_the_whole(monkeypatch):
    whole = look(SAMPLES)
    monkeypatch.setattr("doamc.snapshots.look.ENTRIES", 1)
    for one, other in zip(look(SAMPLES), whole, strict=True):
        assert np.array_equal(one, other)


def test_a_selection_keeps_what_was_found():
    batch = make_batch(torch.from_numpy(SAMPLES))
    whole, some = batch.look, batch.select(torch.tensor([2, 0]))
    assert vars(some)["look"].kurtosis.tolist() == whole.kurtosis[[2, 0]].tolist()
    assert vars(batch.select(slice(1, 2)))["look"].lag.tolist() == whole.lag[1:2].tolist()
