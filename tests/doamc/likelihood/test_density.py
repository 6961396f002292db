"""The likelihood against the dense Gaussian one, and the support of the prior."""

import pytest
import torch

from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of

CASES = [("ula8", 1), ("ula8", 2), ("ula8", 3), ("ula8", 4), ("uca5", 2), ("seed16", 3), ("ula4", 2)]


@pytest.mark.parametrize(("array", "n_sources"), CASES)
@pytest.mark.parametrize("unknown", [True, False])
def test_log_likelihood_is_the_dense_gaussian_one(array, n_sources, unknown):
    scene, rhat, count = observed(array, 4, n_sources, 50, 15.0)
    coordinates = coordinates_of(scene, unknown)
    found = posterior_of(coordinates, scene, rhat, count)(point_of(coordinates, scene))[:, 0]
    r = scene.covariance
    trace = torch.linalg.solve(r, rhat).diagonal(dim1=1, dim2=2).real.sum(1)
    assert torch.allclose(found, -count * (torch.linalg.slogdet(r)[1] + trace), rtol=1e-10)


def test_outside_the_prior_the_posterior_is_nothing():
    scene, rhat, count = observed("ula8", 2, 2, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    too_close = scene.azimuth.clone()
    too_close[:, 1] = too_close[:, 0] + 0.1  # 5.7 deg, least separation is 8
    parts = list(coordinates.split(x))
    closer = torch.cat([*parts[:3], too_close[..., None], parts[4]], 1)
    louder = x.clone()
    louder[:, 0] = coordinates.high[0] + 0.01
    assert posterior(x).isfinite().all()
    assert (posterior(closer) == -torch.inf).all() and (posterior(louder) == -torch.inf).all()
