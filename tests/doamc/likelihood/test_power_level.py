"""The level of a batch."""

import torch

from doamc.likelihood.power_level import prior_gain
from tests.doamc.likelihood.scenes import observed


def test_a_level_of_the_prior_is_left_alone_and_another_is_brought_to_its_middle():
    scene, rhat, count = observed("ula8", 20, 2, 200, 10.0)
    for known in (scene.noise_power, None):
        assert (prior_gain(scene.spec, rhat, count, 2, known) == 1).all()
        for level in (1e-6, 1e6):
            noise = None if known is None else level * known
            gain = prior_gain(scene.spec, level * rhat, count, 2, noise)
            signal = gain * level * (rhat.diagonal(dim1=1, dim2=2).real.mean(1) - scene.noise_power)
            middle = 2 * 10 ** (sum(scene.spec.power_db) / 20)
            assert torch.allclose(signal, torch.full_like(signal, middle), rtol=0.05)
