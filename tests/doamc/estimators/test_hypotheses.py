"""Models beside the specification's: their derivatives, and that each explains what it is for."""

import pytest
import torch

from doamc.estimators.hypotheses import Hypothesis
from doamc.estimators.noise_models import KINDS
from doamc.spec import load_spec


def point(h, seed=0):
    generator = torch.Generator().manual_seed(seed)
    p, k, pairs, noises = h.n_sources, h.sizes[3], h.sizes[4], h.sizes[5]
    azimuth = torch.linspace(-0.5, 0.7, p, dtype=torch.float64)
    theta = 0.2 * torch.randn(k, dtype=torch.float64, generator=generator)
    rest = 0.1 * torch.randn(p + pairs + noises, dtype=torch.float64, generator=generator)
    elevation = torch.linspace(0.2, 0.6, h.n_heights, dtype=torch.float64)
    return torch.cat([azimuth, elevation, rest[:p], theta, rest[p : p + pairs], rest[p + pairs :] - 1])[None]


@pytest.mark.parametrize("array", ["ula8", "uca5", "dipole8", "kraken5", "seed16", "dome8", "panel16"])
@pytest.mark.parametrize("how", [{"coherent": True}, *({"noise": kind} for kind in KINDS)])
def test_derivatives_are_those_of_differences(array, how):
    h = Hypothesis(load_spec(array), 2, **how)
    x = point(h)
    r, dr = h.derivatives(x)
    assert torch.allclose(r, h.covariance(x))
    for i in range(x.shape[1]):
        step = torch.zeros_like(x)
        step[0, i] = 1e-6
        difference = (h.covariance(x + step) - h.covariance(x - step)) / 2e-6
        assert torch.allclose(dr[:, i], difference, atol=1e-6 * float(r.abs().max()))


def test_the_covariance_of_the_model_is_that_of_scenes():
    from doamc.scenes import draw_scene

    for array in ("ula8", "dipole8"):
        scene = draw_scene(load_spec(array), 3, 2, 10.0, torch.Generator().manual_seed(1))
        x = torch.cat([scene.azimuth, scene.power.log(), scene.theta, scene.noise_power.log()[:, None]], 1)
        assert torch.allclose(Hypothesis(scene.spec, 2).covariance(x), scene.covariance)
