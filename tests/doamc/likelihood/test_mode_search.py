"""Mode search, and the factors of the covariance at a mode."""

import torch

from doamc.likelihood.fisher import information
from doamc.likelihood.mode_search import covariance_factors, search_modes
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_covariance_is_the_inverse_of_information_where_the_prior_is_wide():
    scene, rhat, count = observed("ula8", 2, 2, 100_000, 30.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    root = covariance_factors(posterior, x)
    product = root @ root.mT @ information(posterior, x)[1]
    # the prior's precision adds at most 12 / width^2 to an information of 1e5 snapshots
    assert torch.allclose(product, torch.eye(coordinates.size, dtype=torch.float64).expand_as(product), atol=0.03)


def test_covariance_factors_are_upper_triangular():
    scene, rhat, count = observed("ula8", 2, 2, 100, 10.0)
    coordinates = coordinates_of(scene)
    factors = covariance_factors(posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene))
    assert torch.equal(factors, factors.triu()) and (factors.diagonal(dim1=-2, dim2=-1) > 0).all()


def test_a_search_from_near_the_truth_ends_where_the_gradient_is_nothing_or_a_wall_stands():
    scene, rhat, count = observed("ula8", 4, 2, 200, 20.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), coordinates.clip(point_of(coordinates, scene))
    start = posterior(x)
    found, value = search_modes(posterior, x, start, 40, 1)
    assert (value >= start).all() and torch.allclose(posterior(found), value)
    gradient, f = information(posterior, found)
    inside = ((found > coordinates.low[:, None]) & (found < coordinates.high[:, None]))[..., 0]
    widths = torch.linalg.inv(f[:, 0]).diagonal(dim1=1, dim2=2).sqrt()
    # the search ends with a gain below a hundredth of a nat: a tenth of a width from where the slope is nothing
    assert ((gradient[:, 0] * widths).abs()[inside] < 0.5).all()
