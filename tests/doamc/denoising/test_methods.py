"""The shipped weights: denoising near the filter that knows the scene, hits above maximum likelihood, refusals."""

import math

import pytest
import torch

from doamc.denoising.methods import BatchDdim
from doamc.denoising.wiener import SignalCovariance, subspace_wiener
from doamc.errors import CheckpointError, EstimatorError
from doamc.estimators import make_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, edited_spec

SPEC = load_spec("ula8")


def decibel_over_known(clean: torch.Tensor, scene, received) -> float:
    """Error of denoised snapshots over that of the Wiener filter that knows the scene, dB."""
    best = SignalCovariance.of(scene.signal_covariance).wiener(scene.noise_power) @ received.snapshots
    error = [(v - received.clean).abs().square().sum() for v in (clean, best)]
    return 10 * math.log10(float(error[0] / error[1]))


@pytest.mark.parametrize(
    ("n_snapshots", "snr_db", "bar_db"), [(200, -5.0, 0.2), (200, 0.0, 0.2), (200, 10.0, 0.2), (20, 0.0, 0.9)]
)
def test_denoising_is_near_the_filter_that_knows_the_scene(n_snapshots, snr_db, bar_db):
    """300 scenes; and nowhere worse than the batch's own signal-subspace filter."""
    generator = torch.Generator().manual_seed(12)
    scene = draw_scene(SPEC, 300, 2, snr_db, generator)
    received = receive(scene, n_snapshots, generator=generator)
    batch = make_batch(received.snapshots)
    found = decibel_over_known(BatchDdim(SPEC).denoise(batch, 2)[0], scene, received)
    noise = noise_power_from_eigenvalues(batch.covariance, 2)
    subspace = subspace_wiener(batch.covariance, 2, noise) @ batch.snapshots
    assert found < bar_db
    assert found < decibel_over_known(subspace, scene, received)


def test_hits_beat_maximum_likelihood_at_the_threshold():
    generator = torch.Generator().manual_seed(13)
    scene = draw_scene(SPEC, 250, 2, 0.0, generator)
    batch = make_batch(receive(scene, 20, generator=generator).snapshots)
    hits = {}
    for method in ("ml", "ddim"):
        error = angle_error(make_estimator(method, SPEC)(batch, 2).azimuth, scene.azimuth)
        hits[method] = float((error.abs().amax(1) < math.radians(2)).double().mean())
    assert hits["ddim"] > hits["ml"] + 0.06  # three standard errors of the paired difference


def test_same_seed_same_result_and_another_array_is_refused():
    generator = torch.Generator().manual_seed(15)
    batch = make_batch(receive(draw_scene(SPEC, 2, 2, 5.0, generator), 30, generator=generator).snapshots)
    one, two = (BatchDdim(SPEC, seed=4)(batch, 2) for _ in range(2))
    assert torch.equal(one.azimuth, two.azimuth) and torch.equal(one.clean, two.clean)
    with pytest.raises(CheckpointError, match="was trained for array 'ula8'"):
        BatchDdim(edited_spec("ula8", geometry={"spacing_wavelengths": 0.45}))
    with pytest.raises(EstimatorError, match="give the noise power"):
        BatchDdim(SPEC)(make_batch(batch.snapshots[..., :2]), 2)
