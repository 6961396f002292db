"""Draws around modes."""

import torch

from doamc.posterior.proposals.localisation import FoundModes
from doamc.posterior.proposals.mode_draws import ModeSampler, same_mode, widening
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def problem(snapshots: int, snr_db: float):
    scene, rhat, count = observed("ula8", 3, 1, snapshots, snr_db)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = coordinates.clip(point_of(coordinates, scene))
    value, steps = posterior(x), 30
    x, value = posterior.backend.search_modes(x, value, steps, 1, steps)
    return posterior, FoundModes(x, value)


def test_draws_fit_where_the_posterior_is_narrow():
    sampler = ModeSampler(96, 16, 7, 5, torch.device("cpu"))
    posterior, modes = problem(2000, 20.0)
    found = sampler(posterior, modes)
    assert found.x.shape == (3, 7, 96) and found.factors.shape == (3, 96, 7, 7)
    assert torch.allclose(posterior(found.x), found.value) and found.value.isfinite().all()
    assert (found.fit > 0.3).all()
    broad = sampler(*problem(3, -10.0))
    assert broad.fit.max() < found.fit.min()


def test_copies_of_a_mode_are_told_from_another_and_across_the_period():
    coordinates = problem(10, 0.0)[0].coordinates
    x = torch.zeros(1, coordinates.size, 4, dtype=torch.float64)
    x[0, 0, 1], x[0, 0, 2] = 0.01, 1.0  # log amplitudes a hundredth of a width and a width apart
    x[0, -1, 3] = 2 * torch.pi - 0.01  # a phase nearly once around
    factors = torch.eye(coordinates.size, dtype=torch.float64).expand(1, 4, -1, -1) * 0.3
    same = same_mode(x, factors, coordinates)[0]
    assert same[0].tolist() == [1, 1, 0, 1] and torch.equal(same, same.T)


def test_one_mode_is_long_where_coordinates_are_correlated():
    """Three widths along the long axis of an ellipse are near in it; as far across they are another mode."""
    scene, _, _ = observed("ula8", 1, 1, 100, 10.0)
    coordinates = coordinates_of(scene)
    d = coordinates.size
    covariance = 1e-4 * torch.eye(d, dtype=torch.float64)
    covariance[:2, :2] = 1e-4 * torch.tensor([[1.0, 0.99], [0.99, 1.0]], dtype=torch.float64)
    factor = torch.linalg.cholesky(covariance.flip(0, 1)).flip(0, 1)  # upper triangular
    torch.testing.assert_close(factor @ factor.mT, covariance)
    x = (0.5 * (coordinates.low + coordinates.high))[None, :, None].repeat(1, 1, 3)
    x[0, :2, 1] += 0.01
    x[0, :2, 2] += torch.tensor([0.01, -0.01], dtype=torch.float64)
    # squared distances: 2 / 1.99 along, 2 / 0.01 across, against d / 4
    found = same_mode(x, factor.expand(1, 3, d, d), coordinates)[0]
    assert found[0].tolist() == [1, 1, 0]


def test_draws_are_so_much_wider_that_a_share_of_them_counts():
    """Importance weights of normal draws widened by w, towards the normal distribution itself."""
    generator = torch.Generator().manual_seed(1)
    for size in (3, 9, 25):
        w = widening(size, 0.5)
        z = torch.randn(200_000, size, generator=generator, dtype=torch.float64)
        weight = (0.5 * (1 - w * w) * z.square().sum(1)).exp()
        share = float(weight.sum() ** 2 / weight.square().sum() / len(weight))
        assert w > 1 and abs(share - 0.5) < 0.02
