"""What is observed of a batch: levels, noise, effective snapshots."""

import math

import numpy as np
import pytest
import torch

from doamc.arrays.steering import steering
from doamc.selfcal.observation import at_level, observe
from doamc.snapshots import make_batch
from doamc.spec import load_spec


def covariance(power: float, noise: float) -> torch.Tensor:
    """Of one emitter at broadside of ula4, (1, 4, 4)."""
    a = steering(load_spec("ula4").positions, torch.zeros(1, dtype=torch.float64)).to(torch.complex128)
    return (power * a @ a.mH + noise * torch.eye(4))[None]


def test_the_level_is_the_power_of_a_source():
    observed = at_level(covariance(3.0, 0.25), 50.0, None, 1)
    assert observed.level == pytest.approx(3.0) and observed.noise_power is None and observed.noise is None
    torch.testing.assert_close(observed.covariance, covariance(3.0, 0.25) / 3.0)
    assert observed.length.tolist() == [50.0]


def test_a_known_noise_power_is_taken_and_scaled():
    observed = at_level(covariance(3.0, 0.25), 50.0, 0.25, 1)
    assert observed.level == pytest.approx(3.0) and observed.noise_power == pytest.approx(0.25 / 3.0)
    assert observed.noise.tolist() == [observed.noise_power]


def test_noise_alone_has_a_level_nevertheless():
    """What is left after the noise is nothing: a thousandth is taken, so that nothing is divided by zero."""
    observed = at_level(covariance(0.0, 2.0), 50.0, 2.0, 1)
    assert observed.level == pytest.approx(2e-3) and bool(torch.isfinite(torch.view_as_real(observed.covariance)).all())


def test_an_item_is_observed_alone_and_correlated_samples_count_less():
    rng = np.random.default_rng(1)
    white = (rng.normal(size=(4, 400)) + 1j * rng.normal(size=(4, 400))) / math.sqrt(2)
    held = np.repeat(white[:, :40], 10, 1)  # ten samples a value
    batch = make_batch(np.stack([white, held]), noise_power=np.array([0.5, 0.25]))
    first, second = (observe(batch, k, 1) for k in range(2))
    assert (
        first.snapshots == 400.0 and 30 < second.snapshots < 110
    )  # 1 + 2 sum (1 - k / 10)^2 = 6.7 samples count as one
    assert second.noise_power == pytest.approx(0.25 / second.level)
    torch.testing.assert_close(second.covariance * second.level, batch.covariance[1:])
