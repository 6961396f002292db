"""Method ddim: what a prior over waveforms is worth, and that it is worth nothing where nothing is to be known."""

import math

import pytest
import torch

from doamc.denoising.ddim import GuidedDdim
from doamc.denoising.messages import GaussianWaveforms
from doamc.errors import CheckpointError, SamplerError
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.qpsk import QpskWaveforms, qpsk, white
from tests.doamc.helpers.scenes import angle_error


def received(array, n_sources, length, snr_db, count, draw, seed=5):
    """Scenes, their clean snapshots and a batch of them."""
    spec, generator = load_spec(array), torch.Generator().manual_seed(seed)
    scene = draw_scene(spec, count, n_sources, snr_db, generator)
    clean = scene.response @ (scene.power.sqrt()[..., None] * draw((count, n_sources, length), generator))
    noise = scene.noise_power.sqrt()[:, None, None] * white(tuple(clean.shape), generator)
    return scene, clean, make_batch(clean + noise)


def rmse(estimates, scene):
    return float(angle_error(estimates.azimuth, scene.azimuth).square().mean().sqrt())


def left_db(found, clean):
    return 10 * math.log10(float((found - clean).abs().square().sum() / clean.abs().square().sum()))


@pytest.fixture(scope="module")
def symbols():
    """What is made of 24 scenes of QPSK on the circle at 10 dB; the bound for known waveforms is 0.73 of the other."""
    scene, clean, batch = received("uca5", 2, 200, 10.0, 24, qpsk)
    return scene, clean, batch, Posterior("uca5")(batch, 2), GuidedDdim("uca5", denoiser=QpskWaveforms())(batch, 2)


def test_known_symbols_sharpen_directions_and_clean_the_snapshots(symbols):
    scene, clean, batch, plain, found = symbols
    assert rmse(found, scene) < 0.85 * rmse(plain, scene)
    best = scene.signal_covariance @ torch.linalg.solve(scene.covariance, batch.snapshots)
    assert left_db(found.clean, clean) < left_db(best, clean) - 8


def test_intervals_hold_as_before(symbols):
    """48 truths: two standard errors are 0.09; and they are narrower."""
    scene, _, _, plain, found = symbols
    held = (angle_error(found.azimuth, scene.azimuth).abs() < 1.645 * found.std).double().mean()
    assert 0.81 < held < 0.99
    assert found.std.square().mean() < 0.8 * plain.std.square().mean()


def test_waveforms_make_up_the_clean_snapshots_in_the_order_of_the_azimuths(symbols):
    scene, clean, _, _, found = symbols
    one = load_spec("uca5").positions[:, :2] @ torch.stack([found.azimuth.cos(), found.azimuth.sin()], 1)
    made = found.coupling @ torch.polar(torch.ones_like(one), 2 * math.pi * one) @ found.waveforms
    assert left_db(made, clean) < -20
    assert float((found.waveforms.abs().square().mean(2) / scene.power).log().abs().mean()) < 0.3
    assert (found.waveform_std > 0).all() and (found.waveform_std < 1).all()


def test_without_its_prior_it_is_method_posterior(symbols):
    """The ablation: with the score of N(0, 1) in the place of the network nothing is gained, to the last bit."""
    _, clean, batch, plain, found = symbols
    blind = GuidedDdim("uca5", denoiser=GaussianWaveforms())(batch, 2)
    assert torch.equal(blind.azimuth, plain.azimuth) and torch.equal(blind.std, plain.std)
    assert left_db(blind.clean, clean) > left_db(found.clean, clean) + 8


def test_gaussian_emitters_are_left_alone_by_the_shipped_network():
    """The control: directions of `posterior` to a tenth of their deviation, clean snapshots of the Wiener filter."""
    scene, clean, batch = received("ula8", 2, 200, 0.0, 6, white)
    plain, found = Posterior("ula8")(batch, 2), GuidedDdim("ula8")(batch, 2)
    assert float((angle_error(found.azimuth, plain.azimuth) / plain.std).square().mean().sqrt()) < 0.25
    best = scene.signal_covariance @ torch.linalg.solve(scene.covariance, batch.snapshots)
    assert left_db(found.clean, clean) < left_db(best, clean) + 0.4


def test_the_shipped_network_knows_symbols():
    scene, clean, batch = received("ula8", 2, 200, 5.0, 6, qpsk)
    plain, found = Posterior("ula8")(batch, 2), GuidedDdim("ula8")(batch, 2)
    best = scene.signal_covariance @ torch.linalg.solve(scene.covariance, batch.snapshots)
    assert left_db(found.clean, clean) < left_db(best, clean) - 1
    assert found.std.square().mean() < 0.9 * plain.std.square().mean()


@pytest.mark.parametrize("length", [1, 12])
def test_of_a_few_snapshots_nothing_is_learnt(length):
    _, _, batch = received("ula8", 1, length, 15.0, 2, qpsk)
    plain, found = Posterior("ula8")(batch, 1), GuidedDdim("ula8", denoiser=QpskWaveforms())(batch, 1)
    assert torch.equal(found.azimuth, plain.azimuth)
    assert torch.isfinite(torch.view_as_real(found.clean)).all()


def test_an_observation_does_not_depend_on_its_batch():
    _, _, batch = received("ula8", 2, 60, 5.0, 2, qpsk)
    method = GuidedDdim("ula8", denoiser=QpskWaveforms())
    whole, alone = method(batch, 2), method(batch.select(slice(1, 2)), 2)
    torch.testing.assert_close(alone.azimuth[0], whole.azimuth[1])
    torch.testing.assert_close(alone.waveforms[0], whole.waveforms[1])


def test_what_is_silent_beside_others_is_what_it_is_alone():
    """Observations of symbols and of Gaussian emitters in turn; a second round would ask the latter once too often."""
    parts = [received("ula8", 2, 150, 8.0, 3, draw)[2].snapshots for draw in (qpsk, white)]
    batch = make_batch(torch.stack(parts, 1).flatten(0, 1))
    method = GuidedDdim("ula8", denoiser=QpskWaveforms())
    whole, plain = method(batch, 2), Posterior("ula8")(batch, 2)
    assert (whole.std == plain.std).all(1).tolist().count(True) >= 2
    for i in range(6):
        alone = method(batch.select(slice(i, i + 1)), 2)
        for name in ("azimuth", "std", "clean", "waveforms", "waveform_std"):
            torch.testing.assert_close(getattr(alone, name)[0], getattr(whole, name)[i])


@pytest.mark.parametrize(
    ("array", "options"), [("ula8", {"coherent": "yes"}), ("kraken5", {}), ("ula8", {"samples": 2})]
)
def test_correlated_sources_kinds_of_antennas_and_drawn_waveforms(array, options):
    _, clean, batch = received(array, 2, 40, 10.0, 1, qpsk)
    found = GuidedDdim(array, denoiser=QpskWaveforms(), steps=6, **options)(batch, 2)
    assert left_db(found.clean, clean) < -8
    assert torch.isfinite(found.azimuth).all() and torch.isfinite(found.waveform_std).all()


def test_counted_sources_have_waveforms():
    _, clean, batch = received("ula8", 2, 100, 10.0, 1, qpsk)
    found = GuidedDdim("ula8", denoiser=QpskWaveforms()).counted(batch)
    assert found.n_sources.tolist() == [2] and left_db(found.clean, clean) < -15


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no weights"):
        GuidedDdim("ula8", weights=tmp_path / "none.safetensors")
    with pytest.raises(SamplerError, match="guidance must be one of"):
        GuidedDdim("ula8", denoiser=QpskWaveforms(), guidance="dps")
