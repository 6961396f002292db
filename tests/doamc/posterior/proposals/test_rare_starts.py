"""Rank-reduction starts."""

import math

import pytest

from doamc.estimators.null_spectrum import NullSpectrum
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.proposals.rare_starts import rare_points
from tests.doamc.likelihood.scenes import coordinates_of, observed


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 1), ("ula8", 3), ("uca5", 2)])
def test_classical_starts_find_a_noiseless_scene(array, n_sources):
    scene, covariance, count = observed(array, 30, n_sources, 1_000_000, 40.0)
    coordinates = coordinates_of(scene)
    points = rare_points(NullSpectrum(scene.spec), ExactPosterior(coordinates, covariance, count, None))
    error = (coordinates.split(points)[3].sort(1)[0] - scene.azimuth[..., None]).abs().amax(1).amin(1)
    # within the grid (1 or 3 deg) for nearly all; rank reduction has spurious zeros for some couplings
    assert float((error < math.radians(3.0)).double().mean()) >= 0.8
