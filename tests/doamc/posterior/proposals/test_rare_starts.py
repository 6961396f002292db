"""Rank-reduction starts."""

import math

import pytest
import torch

from doamc.estimators.null_spectrum import NullSpectrum
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.proposals.rare_starts import rare_points, with_pairs
from tests.doamc.likelihood.scenes import coordinates_of, observed


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 1), ("ula8", 3), ("uca5", 2)])
def test_classical_starts_find_a_noiseless_scene(array, n_sources):
    scene, covariance, count = observed(array, 30, n_sources, 1_000_000, 40.0)
    coordinates = coordinates_of(scene)
    points = rare_points(NullSpectrum(scene.spec), ExactPosterior(coordinates, covariance, count, None))
    error = (coordinates.split(points)[3].sort(1)[0] - scene.azimuth[..., None]).abs().amax(1).amin(1)
    # within the grid (1 or 3 deg) for nearly all; rank reduction has spurious zeros for some couplings
    assert float((error < math.radians(3.0)).double().mean()) >= 0.8


def test_pairs_stand_about_each_of_the_deepest_dips():
    peaks = torch.tensor([[0.5, -0.2, 0.9, 0.1]])
    pairs = with_pairs(peaks, 3, 0.1, (1.0, 2.0))
    wanted = [[-0.2, 0.45, 0.55], [-0.2, 0.4, 0.6], [-0.25, -0.15, 0.5], [-0.3, -0.1, 0.5]]
    assert torch.allclose(pairs, torch.tensor([wanted]))
