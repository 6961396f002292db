"""Offsets of converters are taken out; carriers, slow signals and noise stay."""

import math

import pytest
import torch

from doamc.errors import SnapshotError
from doamc.estimators.converter_offset import ConverterOffset, constant
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.snapshots.impulses import without_impulses
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, observed


def phases(*shape, seed=0):
    return torch.exp(2j * math.pi * torch.rand(*shape, generator=torch.Generator().manual_seed(seed)).double())


def removed(spec, snapshots):
    return ConverterOffset(spec)(make_batch(snapshots)).offset_removed.double().mean().item()


@pytest.mark.parametrize("array", ["ula8", "uca5", "kraken5", "seed16"])
def test_noise_and_white_signals_have_none(array):
    """At a level of 1e-4, and with a second test behind it, 400 batches have none but one time in 25."""
    spec = load_spec(array)
    for sources, snr_db, length in ((1, -10.0, 100), (2, 20.0, 1000)):
        assert removed(spec, observed(spec, 200, sources, length, snr_db)[1].snapshots) == 0


def slow(scene, length, correlation, generator):
    """Snapshots of sources that are first-order processes."""
    shape = (*scene.azimuth.shape, length)
    white = torch.randn(*shape, 2, generator=generator, dtype=torch.float64)
    s = torch.view_as_complex(white) / math.sqrt(2)
    for i in range(1, length):
        s[:, :, i] = correlation * s[:, :, i - 1] + math.sqrt(1 - correlation**2) * s[:, :, i]
    noise = torch.view_as_complex(torch.randn(len(s), scene.spec.n_elements, length, 2, generator=generator).double())
    return scene.response @ (scene.power.sqrt()[:, :, None] * s) + (scene.noise_power / 2).sqrt()[:, None, None] * noise


@pytest.mark.parametrize("array", ["ula8", "uca5", "kraken5"])
def test_slow_signals_stay(array):
    """The mean of a signal that hardly changes in a batch is large, and has the direction of its wave."""
    generator = torch.Generator().manual_seed(3)
    scene = draw_scene(load_spec(array), 100, 2, 20.0, generator)
    for correlation in (0.9, 0.99):
        assert removed(scene.spec, slow(scene, 200, correlation, generator)) <= 0.01


@pytest.mark.parametrize(("array", "least"), [("ula8", 0.9), ("uca5", 0.6), ("kraken5", 0.9), ("seed16", 0.97)])
def test_offsets_are_found_unless_they_look_like_a_wave(array, least):
    """Five random phases are a wave under some coupling now and then; sixteen hardly ever."""
    spec = load_spec(array)
    y = observed(spec, 100, 2, 200, 10.0)[1].snapshots
    for amplitude in (0.1, 1.0, 10.0):
        assert removed(spec, y + amplitude * phases(100, spec.n_elements, 1)) >= least


@pytest.mark.parametrize("array", ["ula8", "kraken5", "seed16"])
def test_a_carrier_at_the_frequency_of_the_receiver_is_an_emitter(array):
    spec, generator = load_spec(array), torch.Generator().manual_seed(4)
    y = observed(spec, 100, 1, 200, 10.0)[1].snapshots
    carrier = receive(draw_scene(spec, 100, 1, 60.0, generator), 1, "gaussian", generator).snapshots
    assert removed(spec, y + carrier) <= 0.1


def test_what_is_left_is_the_covariance_about_the_mean():
    spec = load_spec("ula8")
    y = observed(spec, 3, 2, 200, 10.0)[1].snapshots
    off = y.clone()
    off[1] += phases(8, 1)
    off[1, 3, 50] += 1000  # and an impulse, which is no part of the mean
    left = torch.tensor([i for i in range(200) if i != 50])
    calm = ConverterOffset(spec)(without_impulses(make_batch(off)))
    assert calm.offset_removed.tolist() == [False, True, False] and calm.left_out.tolist() == [0, 1, 0]
    expected = torch.cov(y[1][:, left])  # over 198 degrees of freedom; the phases, equal in all snapshots, drop out
    torch.testing.assert_close(calm.covariance[1], expected, rtol=1e-10, atol=1e-10)
    for b in (0, 2):
        assert torch.equal(calm.snapshots[b], off[b]) and ConverterOffset(spec)(calm) is calm


@pytest.mark.parametrize("method", ["posterior", "ml", "music"])
def test_directions_beside_an_offset_as_strong_as_a_source(method):
    spec = load_spec("ula8")
    _, batch = observed(spec, 20, 2, 200, 10.0)
    y = batch.snapshots + phases(20, 8, 1, seed=5)
    plain = estimate_batch(open_estimator(method, spec, 2, "cpu", 0), batch, 2).azimuth
    estimates = estimate_batch(open_estimator(method, spec, 2, "cpu", 0), make_batch(y), 2)
    moved = torch.rad2deg(angle_error(estimates.azimuth, plain)).abs().amax(1)
    # an estimate loses one of 200 snapshots: a twentieth of the deviation of about 0.15 deg
    assert estimates.offset_removed.sum() >= 18 and moved[estimates.offset_removed].median() < 0.05
    left = "robust=false,noise=equal" if method == "posterior" else "robust=false"  # noise: nor by its remedy
    raw = open_estimator(f"{method}:{left}", spec, 2, "cpu", 0)
    worse = torch.rad2deg(angle_error(estimate_batch(raw, make_batch(y), 2).azimuth, plain)).abs().amax(1)
    assert worse.median() > 4 * moved.median()


@pytest.mark.parametrize("name", ["posterior", "ml", "music"])
@pytest.mark.parametrize("n_sources", [1, None])
def test_an_offset_and_nothing_else_is_refused_by_its_name(name, n_sources):
    """Of every method: what is left without the offset is round-off, and its directions are nobody's."""
    spec = load_spec("uca5")
    y = observed(spec, 3, 2, 200, 10.0)[1].snapshots
    y[1] = 0.3 * phases(spec.n_elements, 1, seed=5)
    estimator = open_estimator(name, spec, n_sources, "cpu", 0)
    with pytest.raises(SnapshotError, match=r"every channel is constant in batch 8: the offset of the receiver's conv"):
        estimate_batch(estimator, make_batch(y, first=7), n_sources)
    y[1] += 1e-6 * y[0]  # anything else is taken
    assert estimate_batch(estimator, make_batch(y, first=7), n_sources).offset_removed[1]


def test_constant_is_what_varies_by_round_off_alone():
    y = torch.ones(5, 4, 100, dtype=torch.complex128)
    y[1, 2, 3] += 1e-6
    y[2] *= phases(1, 100)
    y[3, :, 50:] = 0.0  # left out
    y[4, :, 1:] = 0.0
    assert constant(y).tolist() == [True, False, False, True, False]
