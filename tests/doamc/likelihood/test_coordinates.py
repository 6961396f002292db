"""Coordinates that wrap."""

import torch

from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_wrapping_keeps_a_scene():
    scene, rhat, count = observed("uca5", 2, 2, 20, 0.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    turned = x.clone()
    turned[:, coordinates.n_box :] += 2 * torch.pi
    assert torch.allclose(posterior(turned), posterior(x)) and torch.allclose(coordinates.wrap(turned), x)
