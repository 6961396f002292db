"""Wiener filters and their error against brute force."""

import pytest
import torch

from doamc.denoising.batch_net import factor_wiener
from doamc.denoising.wiener import SignalCovariance, filter_error, subspace_wiener
from doamc.scenes import draw_scene, receive
from doamc.spec import load_spec

SCENE = draw_scene(load_spec("ula8"), 4, 2, 0.0, torch.Generator().manual_seed(1))


def test_the_filter_is_r_times_the_inverse():
    r, v = SCENE.signal_covariance, SCENE.noise_power
    direct = r @ torch.linalg.inv(r + v[:, None, None] * torch.eye(8))
    assert torch.allclose(SignalCovariance.of(r).wiener(v), direct, atol=1e-12)
    root = SCENE.response * SCENE.power.sqrt()[:, None]
    assert torch.allclose(factor_wiener(root, v), direct, atol=1e-12)


def test_the_subspace_filter_of_the_true_covariance_is_the_wiener_filter():
    found = subspace_wiener(SCENE.covariance, 2, SCENE.noise_power)
    assert torch.allclose(found, SignalCovariance.of(SCENE.signal_covariance).wiener(SCENE.noise_power), atol=1e-9)


def test_the_error_formula_is_the_error():
    received = receive(SCENE, 50, generator=torch.Generator().manual_seed(2))
    x, y = received.clean, received.snapshots
    weights = torch.randn(4, 8, 8, dtype=torch.complex128)
    moments = [a @ b.mH / 50 for a, b in ((x, x), (y, x), (y, y))]
    direct = (weights @ y - x).abs().square().sum((1, 2)) / 50
    assert torch.allclose(filter_error(weights, *moments), direct)


def test_no_linear_filter_beats_wiener():
    """Expected error v tr R (R + v)^-1, which any disturbance of the filter makes worse."""
    r, v = SCENE.signal_covariance, SCENE.noise_power
    eye = torch.eye(8, dtype=torch.complex128)
    best = SignalCovariance.of(r).wiener(v)
    observed = r + v[:, None, None] * eye
    least = filter_error(best, r, r, observed)
    values = torch.linalg.eigvalsh(r).clamp_min(0)
    assert torch.allclose(least, v * (values / (values + v[:, None])).sum(1))
    for seed in range(5):
        off = 0.01 * torch.randn(4, 8, 8, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))
        assert (filter_error(best + off, r, r, observed) > least).all()


@pytest.mark.parametrize("n_sources", [1, 2, 3])
def test_the_filter_of_a_rank_p_covariance_has_rank_p(n_sources):
    scene = draw_scene(load_spec("ula8"), 3, n_sources, 10.0, torch.Generator().manual_seed(3))
    rank = torch.linalg.matrix_rank(SignalCovariance.of(scene.signal_covariance).wiener(scene.noise_power), rtol=1e-9)
    assert rank.tolist() == [n_sources] * 3
