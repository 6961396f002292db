"""Draws around modes."""

import math

import torch

from doamc.likelihood.constants import constants_of
from doamc.posterior.proposals.localisation import FoundModes
from doamc.posterior.proposals.mode_draws import Importance, ModeSampler, copies, drawn_around, same_mode, widening
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
    starts = sampler.starts(posterior, modes, found)
    assert starts.x.shape == (3, 7, 96) and starts.factors.shape == (3, 96, 7, 7)
    assert torch.allclose(posterior(starts.x), starts.value) and starts.value.isfinite().all()
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
    assert same[0].tolist() == [True, True, False, True] and torch.equal(same, same.T)


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
    assert found[0].tolist() == [True, True, False]


def test_draws_are_made_by_the_factor_of_their_own_mode():
    generator = torch.Generator().manual_seed(1)
    x, factors = (torch.randn(2, *s, generator=generator, dtype=torch.float64) for s in ((3, 4), (4, 3, 3)))
    which, z = torch.tensor([[0, 0, 2, 3, 3], [1, 1, 1, 1, 1]]), torch.randn(3, 5, dtype=torch.float64)
    found = drawn_around(x, factors, which, z)
    for b in range(2):
        for i, k in enumerate(which[b].tolist()):
            torch.testing.assert_close(found[b, :, i], x[b, :, k] + factors[b, k] @ z[:, i])


def test_of_copies_the_highest_stays_and_of_equal_ones_the_first():
    alike = torch.ones(1, 3, 3, dtype=torch.bool)
    assert copies(torch.tensor([[1.0, 2.0, 2.0]]), alike)[0].tolist() == [True, False, True]
    assert not copies(torch.tensor([[1.0, 2.0, 2.0]]), torch.eye(3, dtype=torch.bool)[None]).any()


def test_mass_and_samples_by_importance_are_those_of_a_known_density():
    """The density at hand is a normal one, cut by a wall a width above its mode: mass and mean are known."""
    coordinates = coordinates_of(observed("ula8", 1, 1, 400, 10.0)[0])
    d = coordinates.size
    sampler = ModeSampler(96, 64, d, 5, torch.device("cpu"))
    middle = 0.5 * (coordinates.low + coordinates.high)
    width = 1e-3 * (coordinates.high - coordinates.low)
    middle[0] = coordinates.high[0] - width[0]
    root = torch.diag(width)[None, None]

    class Normal:
        """Log density of a normal distribution around the middle."""

        def __init__(self) -> None:
            self.coordinates, self.backend = coordinates, self
            self.constants = constants_of(coordinates, torch.device("cpu"))

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            inside = -0.5 * ((x - middle[:, None]) / width[:, None]).square().sum(1)
            return torch.where(coordinates.inside(x), inside, -math.inf)

        def information(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x, torch.diag(width**-2 - 12 / (coordinates.high - coordinates.low).square())[None, None]

    density = Normal()
    draws = sampler(density, FoundModes(middle[None, :, None], density(middle[None, :, None])))
    found = draws.importance(coordinates)
    torch.testing.assert_close(draws.factors, root, rtol=1e-6, atol=0.0)
    below = 0.5 * (1 + math.erf(1 / math.sqrt(2)))  # share of the normal distribution below the wall
    expected = 0.5 * d * math.log(2 * math.pi) + float(width.log().sum()) + math.log(below)
    assert (
        abs(float(found.log_mass()) - expected) < 0.04
    )  # 6144 draws, of which half count: 0.018 is one standard deviation
    mean = -math.exp(-0.5) / math.sqrt(2 * math.pi) / below  # of a normal number below 1
    z = (found.samples(4800, 96)[0, 0] - middle[0]) / width[0]
    assert abs(float(z.mean()) - mean) < 0.05 and float(z.max()) <= 1.0
    assert abs(float(found.fit) - below) < 0.05  # the share of the draws that is left
    assert float(found.independent()) == float(found.fit) * 0.5 * 6144  # half of the draws of a normal one count


def test_every_run_of_samples_by_importance_stands_for_the_whole_posterior():
    """Where many samples are one draw, neighbours among them are not: else a rank among some is not uniform."""
    drawn = torch.arange(1000.0, dtype=torch.float64)[None, None]
    log_weight = torch.linspace(-1, 1, 1000, dtype=torch.float64)[None]
    found = Importance(drawn, log_weight, torch.ones(1, dtype=torch.float64)).samples(2304, 96)
    mean = float((torch.softmax(log_weight, 1) * drawn).sum())
    runs = found[0, 0].view(24, 96)
    assert (runs.diff(dim=1) > 0).all()  # no draw twice in a run
    assert float((runs.mean(1) - mean).abs().max()) < 10  # a comb of 96 in 1000 is 10 apart


def test_draws_are_so_much_wider_that_a_share_of_them_counts():
    """Importance weights of normal draws widened by w, towards the normal distribution itself."""
    generator = torch.Generator().manual_seed(1)
    for size in (3, 9, 25):
        w = widening(size, 0.5)
        z = torch.randn(200_000, size, generator=generator, dtype=torch.float64)
        weight = (0.5 * (1 - w * w) * z.square().sum(1)).exp()
        share = float(weight.sum() ** 2 / weight.square().sum() / len(weight))
        assert w > 1 and abs(share - 0.5) < 0.02
