import pytest
import torch

from doamc.estimators.powers import source_powers
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed


@pytest.mark.parametrize("name", ["ula8", "uca5"])
def test_model_covariance_gives_its_powers_and_noise(name):
    scene, _ = observed(load_spec(name), 20, 2, 10, 3.0)
    noise = noise_power_from_eigenvalues(scene.covariance, 2)
    assert torch.allclose(noise, scene.noise_power, rtol=1e-9)
    assert torch.allclose(source_powers(scene.covariance, scene.response, noise), scene.power, rtol=1e-6)


def test_a_source_that_is_not_there_keeps_a_small_positive_power():
    scene, _ = observed(load_spec("ula8"), 5, 1, 10, 3.0)
    none_there = scene.noise_power[:, None, None] * torch.eye(8, dtype=torch.complex128)
    power = source_powers(none_there, scene.response, scene.noise_power)
    assert torch.allclose(power, 1e-3 * scene.noise_power[:, None])
