import math

import numpy as np
import pytest
import torch

from doamc.errors import SnapshotError
from doamc.snapshots import make_batch


def samples(*shape, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def spoilt(index, value):
    y = samples(3, 4, 10)
    y[index] = value
    return y


def test_covariance_is_the_mean_outer_product():
    y = samples(3, 4, 10)
    batch = make_batch(torch.from_numpy(y))
    expected = np.array([sum(np.outer(v, v.conj()) for v in item.T) / 10 for item in y])
    assert np.allclose(batch.covariance.numpy(), expected)
    assert (batch.size, batch.n_elements, batch.n_snapshots) == (3, 4, 10)
    assert batch.noise_power is None


def test_numpy_and_single_precision_and_one_observation_are_taken():
    batch = make_batch(samples(4, 10).astype(np.complex64), 4, 0.5)
    assert batch.snapshots.shape == (1, 4, 10) and batch.snapshots.dtype == torch.complex128
    assert batch.noise_power.tolist() == [0.5]


def test_one_noise_power_serves_all_and_selection_keeps_rows_together():
    assert make_batch(samples(3, 4, 10), noise_power=0.2).noise_power.tolist() == [0.2] * 3
    batch = make_batch(samples(3, 4, 10), noise_power=torch.tensor([0.1, 0.2, 0.3]))
    some = batch.select(torch.tensor([2, 0]))
    assert some.noise_power.tolist() == pytest.approx([0.3, 0.1])
    assert torch.equal(some.snapshots[0], batch.snapshots[2])
    assert torch.equal(some.covariance[1], batch.covariance[0])
    assert make_batch(samples(3, 4, 10)).select(slice(0, 2)).noise_power is None


@pytest.mark.parametrize(
    ("snapshots", "message"),
    [
        (np.ones((4, 10)), r"expected complex snapshots of shape \(B, N, L\), found torch.float64"),
        (samples(4), r"expected complex snapshots of shape \(B, N, L\)"),
        (samples(2, 3, 4, 5), r"expected complex snapshots of shape \(B, N, L\)"),
        (samples(3, 5, 10), "expected 4 channels for this array, found 5"),
        (samples(3, 4, 0), "L >= 1 snapshots"),
        (samples(0, 4, 10), "at least one observation"),
        (spoilt((1, 2, 3), math.nan), r"NaN or infinite samples \(first in batch 1\)"),
        (spoilt((2, 0, 0), math.inf), r"NaN or infinite samples \(first in batch 2\)"),
        (spoilt((0, 0, 0), complex(0, -math.inf)), r"NaN or infinite samples \(first in batch 0\)"),
        (spoilt((1, 2), 0.0), r"channel 2 is dead \(all zeros\) in batch 1"),
        (spoilt(1, 0.0), "all samples are zero in batch 1"),
        (1e160 * samples(3, 4, 10), r"sizes from 1e-140 to 1e\+140, found \d\S*e\+160 in channel 0 of batch 0; scale"),
        (spoilt((2, 3), 1e-170), "found 1e-170 in channel 3 of batch 2; scale"),
    ],
    ids="real one-axis four-axes channels no-snapshot no-batch nan inf minus-inf dead zero loud faint".split(),
)
def test_snapshots_that_cannot_be_used_are_refused(snapshots, message):
    with pytest.raises(SnapshotError, match=message):
        make_batch(snapshots, 4)


@pytest.mark.parametrize("noise", [0.0, -1.0, math.nan, math.inf, [0.1, 0.2], []])
def test_impossible_noise_powers_are_refused(noise):
    with pytest.raises(SnapshotError, match="noise power must be positive, one value or 3"):
        make_batch(samples(3, 4, 10), 4, torch.tensor(noise, dtype=torch.float64))


@pytest.mark.parametrize("ratio", [1e-320, 1e-16, 1e16, 1e300])
def test_a_noise_power_far_from_the_level_is_refused(ratio):
    """Beyond 150 dB: double precision holds no more between the two."""
    with pytest.raises(SnapshotError, match=r"within 150 dB of the mean power .* of batch [789], found"):
        make_batch(samples(3, 4, 10), 4, ratio, first=7)
    make_batch(1e20 * samples(3, 4, 10), 4, 1e40)  # a noise power at the samples' own level
