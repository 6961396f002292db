"""Clean snapshots and waveforms of the scenes that a method found."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.denoising.clean import denoise
from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.estimators.joined import join
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SPEC = load_spec("ula8")


@pytest.fixture(scope="module")
def observed():
    generator = torch.Generator().manual_seed(3)
    scene = draw_scene(SPEC, 24, 2, 0.0, generator)
    received = receive(scene, 200, generator=generator)
    batch = make_batch(received.snapshots)
    return scene, received, batch, make_estimator("posterior", SPEC)(batch, 2)


def test_error_is_near_that_of_the_filter_that_knows_the_scene(observed):
    scene, received, batch, estimates = observed
    clean = denoise(SPEC, batch, estimates).clean
    best = scene.signal_covariance @ torch.linalg.solve(scene.covariance, received.snapshots)
    error = [(x - received.clean).abs().square().sum() for x in (clean, best)]
    assert 10 * math.log10(error[0] / error[1]) < 0.3  # 1600 samples a scene, 7 parameters to find


def test_waveforms_make_up_the_clean_snapshots_and_their_spread_is_their_error(observed):
    scene, _, batch, estimates = observed
    found = denoise(SPEC, batch, estimates)
    steer = torch.exp(2j * math.pi * SPEC.positions[:, 1:2] * estimates.azimuth.sin()[:, None])
    torch.testing.assert_close(estimates.coupling @ steer @ found.waveforms, found.clean)
    assert found.spread.shape == found.waveforms.shape == (24, 2, 200)
    power = found.waveforms.abs().square().mean(2) + found.spread.square().mean(2)
    assert float((power / scene.power).log().abs().mean()) < 0.3  # power is found to 10 % and coupling divides it


def test_observations_with_fewer_sources_have_waveforms_of_nothing(observed):
    _, _, batch, estimates = observed
    one = make_estimator("posterior", SPEC)(batch.select(slice(0, 2)), 1)
    found = denoise(SPEC, batch.select(slice(0, 4)), join([one, estimates.select(slice(2, 4))]))
    assert (found.waveforms[:2, 1] == 0).all()
    assert found.spread[:2, 1].isnan().all()
    assert torch.isfinite(found.clean).all()


def test_waveforms_of_a_method_are_taken_as_they_are(observed):
    _, _, batch, estimates = observed
    own = denoise(SPEC, batch, estimates)
    held = replace(estimates, clean=2 * own.clean, waveforms=2 * own.waveforms, waveform_std=2 * own.spread)
    torch.testing.assert_close(denoise(SPEC, batch, held).clean, 2 * own.clean)


def test_estimates_of_another_batch_are_refused(observed):
    _, _, batch, estimates = observed
    with pytest.raises(EstimatorError, match="24 observations, found 3"):
        denoise(SPEC, batch, estimates.select(slice(0, 3)))
