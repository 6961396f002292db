"""The Wiener filter of posterior samples."""

import torch

from doamc.posterior.report.wiener import mean_wiener_filter
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_one_sample_gives_the_filter_of_its_scene():
    scene, rhat, count = observed("ula8", 3, 2, 50, 5.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    expected = torch.linalg.solve(scene.covariance, scene.signal_covariance).mH
    torch.testing.assert_close(mean_wiener_filter(posterior, x), expected)
