"""The batch's own subspace filter."""

import torch

from doamc.denoising.wiener import subspace_wiener
from doamc.scenes import draw_scene
from doamc.spec import load_spec
from tests.doamc.helpers.wiener import SignalCovariance

SCENE = draw_scene(load_spec("ula8"), 4, 2, 0.0, torch.Generator().manual_seed(1))


def test_the_filter_is_r_times_the_inverse():
    r, v = SCENE.signal_covariance, SCENE.noise_power
    direct = r @ torch.linalg.inv(r + v[:, None, None] * torch.eye(8))
    assert torch.allclose(SignalCovariance.of(r).wiener(v), direct, atol=1e-12)


def test_the_subspace_filter_of_the_true_covariance_is_the_wiener_filter():
    found = subspace_wiener(SCENE.covariance, 2, SCENE.noise_power)
    assert torch.allclose(found, SignalCovariance.of(SCENE.signal_covariance).wiener(SCENE.noise_power), atol=1e-9)
