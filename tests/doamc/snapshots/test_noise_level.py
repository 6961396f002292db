"""The noise power of small eigenvalues: right on average, and never nothing."""

import pytest
import torch

from doamc.snapshots.noise_level import (
    LEAST_NOISE,
    mean_of_smallest,
    noise_power_from_eigenvalues,
    unbiased_noise_power,
)
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import exact_batch, fixed_scene, observed


@pytest.mark.parametrize("snapshots", [12, 50])
def test_what_the_signal_takes_is_given_back(snapshots):
    """Mean ratio to the truth over 400 scenes within 2 %, over three standard errors; without it 17 % off at L = 12."""
    scene, batch = observed(load_spec("ula8"), 400, 2, snapshots, 30.0, seed=3)
    small = noise_power_from_eigenvalues(batch.covariance, 2)
    lengths = torch.full((400,), float(snapshots), dtype=torch.float64)
    for length in (snapshots, lengths):
        ratio = unbiased_noise_power(small, length, 2) / scene.noise_power
        assert float(ratio.mean()) == pytest.approx(1.0, abs=0.02)
    assert float((small / scene.noise_power).mean()) == pytest.approx(1 - 2 / snapshots, abs=0.02)


def test_without_noise_there_is_a_least_one():
    covariance = exact_batch(fixed_scene(load_spec("ula8"), [0.0], 300.0), 5).covariance
    least = LEAST_NOISE * float(covariance[0].diagonal().real.mean())
    assert float(noise_power_from_eigenvalues(covariance, 1)) == pytest.approx(least, rel=1e-6)
    values = torch.tensor([[-1e-17, 2e-17, 3.0]], dtype=torch.float64)
    assert float(mean_of_smallest(values, 1)) == LEAST_NOISE
    assert float(unbiased_noise_power(mean_of_smallest(values, 1), 1, 1)) == 2 * LEAST_NOISE  # L - P = 0 counts half
