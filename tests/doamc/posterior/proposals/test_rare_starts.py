"""Rank-reduction starts."""

import math

import pytest
import torch

from doamc.estimators.features import FeatureMap
from doamc.posterior.proposals.rare_starts import rank_reduction_starts
from tests.doamc.likelihood.scenes import coordinates_of, observed


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 1), ("ula8", 3), ("uca5", 2)])
def test_classical_starts_find_a_noiseless_scene(array, n_sources):
    scene, covariance, count = observed(array, 30, n_sources, 1_000_000, 40.0)
    features = FeatureMap(scene.spec)
    p = torch.full((30,), n_sources)
    x = features(covariance, count, p, scene.noise_power, torch.zeros(30, dtype=torch.bool))
    start = rank_reduction_starts(coordinates_of(scene), features.null_spectrum(x).double(), features.grid, covariance)
    error = (start[0].sort(1)[0] - scene.azimuth[..., None]).abs().amax(1).amin(1)
    # within the grid (1 or 3 deg) for nearly all; rank reduction has spurious zeros for some couplings
    assert float((error < math.radians(3.0)).double().mean()) >= 0.8
