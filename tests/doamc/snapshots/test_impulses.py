"""Snapshots that an impulse in one channel has spoilt are left out; noise, waves and bursts stay as they are."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.estimators import METHODS
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.snapshots.batch import make_batch
from doamc.snapshots.impulses import spoilt_snapshots, without_impulses
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, observed

#: methods for planar arrays, and those whose weights do not ship
OTHERS = ("bcs", "vae", "coupling-diffusion", "ddim-snapshot")


def noise(*shape, seed=0):
    draw = torch.randn(*shape, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.view_as_complex(draw) / math.sqrt(2)


@pytest.mark.parametrize("n", [3, 5, 16])
@pytest.mark.parametrize("length", [20, 200, 20_000])
def test_noise_has_none(n, length):
    """Of 400 000 samples none passes: one in 1000 batches would pass the test over time, few of these the other."""
    assert not spoilt_snapshots(noise(max(1, 400_000 // (n * length)), n, length)).any()


@pytest.mark.parametrize("n", [4, 8])
def test_bursts_of_one_or_two_waves_stay(n):
    """A burst is strong in every channel. Two waves of random phases may nearly cancel in most channels at once."""
    envelope = noise(500, 2, 200, seed=1)
    envelope[:, :, 10:] = 0
    phases = torch.exp(2j * math.pi * torch.rand(500, n, 2, generator=torch.Generator().manual_seed(2)).double())
    one = 100 * phases[:, :, :1] @ envelope[:, :1] + noise(500, n, 200, seed=3)
    assert not spoilt_snapshots(one).any()
    two = 100 * phases @ envelope + noise(500, n, 200, seed=3)
    # of uniform phases all but fewer than half the channels are 30 times (15 dB) below the strongest: < 3 % at n = 4
    assert spoilt_snapshots(two)[:, :10].double().mean() < 0.03


def test_impulses_of_one_channel_are_found_and_no_others():
    y = noise(4, 5, 300)
    y[1, 3, 50] += 1000
    y[2, 0, [7, 8, 250]] += torch.tensor([20, 1e8, 15.0])
    found = spoilt_snapshots(y)
    assert found.nonzero().tolist() == [[1, 50], [2, 7], [2, 8], [2, 250]]


def test_the_covariance_and_the_count_are_those_of_the_snapshots_that_are_left():
    y = noise(3, 5, 300)
    y[1, 3, [50, 60]] += 1000
    batch = make_batch(y)
    calm = without_impulses(batch)
    left = torch.tensor([i for i in range(300) if i not in (50, 60)])
    torch.testing.assert_close(calm.covariance[1], make_batch(y[1:2, :, left]).covariance[0], rtol=1e-12, atol=1e-12)
    for b in (0, 2):
        assert torch.equal(calm.snapshots[b], batch.snapshots[b])
        assert torch.equal(calm.covariance[b], batch.covariance[b])
    assert calm.left_out.tolist() == [0, 2, 0] and calm.select(slice(1, 2)).left_out.tolist() == [2]
    assert calm.effective.of_signals(1).tolist() == [300, 298, 300]
    assert without_impulses(calm) is calm and batch.snapshots[1, 3, 50].abs() > 900  # what came in is not written to


def test_what_is_no_exception_stays():
    """More than half of the snapshots: no impulses, but another model. A covariance without snapshots has none."""
    y = noise(1, 5, 300)
    for channel in (0, 1):
        y[0, channel, channel::5] += 1e3
    assert without_impulses(make_batch(y)).left_out.tolist() == [120]
    y[0, 2, 2::5] += 1e3
    assert without_impulses(make_batch(y)).left_out.tolist() == [0]
    moments = replace(make_batch(y), snapshots=y.new_empty(0))
    assert without_impulses(moments) is moments


@pytest.mark.parametrize("bits", [1, 2, 8])
def test_coarse_samples_have_none(bits):
    """A converter whose last bit is as large as the noise, or ten times as large: most samples are zero."""
    scale = 2**bits / 20
    coarse = torch.view_as_complex((torch.view_as_real(noise(20, 5, 400)) * scale).round())
    assert not spoilt_snapshots(coarse).any()


@pytest.mark.parametrize("method", [m for m in METHODS if m not in OTHERS])
def test_a_wild_sample_changes_no_estimate_by_more_than_a_snapshot_does(method):
    """The sample of 60 dB is gone: what is left is the estimate without its snapshot, but for temporal order."""
    spec = load_spec("ula8")
    _, batch = observed(spec, 1, 2, 200, 10.0)
    y = batch.snapshots.clone()
    y[0, 3, 50] += 1000
    estimator = open_estimator(method, spec, 2, "cpu", 0)
    wild = estimate_batch(estimator, make_batch(y), 2)
    calm = estimate_batch(open_estimator(method, spec, 2, "cpu", 0), batch, 2)
    assert wild.left_out.tolist() == [1] and calm.left_out.tolist() == [0]
    # one of 200 snapshots moves a direction by about its deviation over sqrt(200)
    assert torch.rad2deg(angle_error(wild.azimuth, calm.azimuth)).abs().max() < 0.1
    if method == "ml":
        raw = estimate_batch(open_estimator("ml:robust=false", spec, 2, "cpu", 0), make_batch(y), 2)
        assert raw.left_out is None and torch.rad2deg(angle_error(raw.azimuth, calm.azimuth)).abs().max() > 1
