"""What a network is told of a batch."""

import math

import torch

from doamc.estimators.features import FeatureMap
from doamc.spec import load_spec
from tests.doamc.likelihood.scenes import observed


def test_features_know_no_units_when_the_noise_is_given():
    spec = load_spec("ula8")
    scene, covariance, count = observed("ula8", 5, 2, 30, 10.0)
    features = FeatureMap(spec)
    p, known = torch.full((5,), 2), torch.ones(5, dtype=torch.bool)
    a = features(covariance, count, p, scene.noise_power, known)
    b = features(4 * covariance, count, p, 4 * scene.noise_power, known)
    levels = 2 * 64 + 8 + 121 + torch.tensor([3, 4])  # the two that say the absolute level
    keep = torch.ones(a.shape[1], dtype=torch.bool)
    keep[levels] = False
    assert a.shape[1] == features.size and torch.allclose(a[:, keep], b[:, keep], atol=1e-4)
    assert torch.allclose(b[:, levels] - a[:, levels], torch.tensor([math.log(4) / 2, math.log(4) / 4]), atol=1e-4)
