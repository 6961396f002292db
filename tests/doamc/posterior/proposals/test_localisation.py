"""Modes, and how far proposals lie below them."""

import torch

from doamc.posterior.options import Options
from doamc.posterior.proposals.localisation import FoundModes, find_modes
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_samples_of_a_normal_posterior_lie_half_their_dimension_below_its_mode():
    z = torch.randn(1, 7, 40_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    modes = FoundModes(torch.zeros(1, 7, 2).double(), torch.tensor([[0.0, -3.0]]).double())
    weight = torch.full((1, 40_000), 1 / 40_000, dtype=torch.float64)
    assert abs(float(modes.deficit(weight, -0.5 * z.square().sum(1))) - 3.5) < 0.05  # 5 sigma
    assert modes.deficit(weight[:, :2], torch.full((1, 2), -torch.inf).double()).isfinite().all()


def test_classical_starts_count_only_with_more_snapshots_than_sources():
    for snapshots, used in ((200, True), (2, False)):
        scene, rhat, count = observed("ula8", 2, 2, snapshots, 20.0)
        coordinates = coordinates_of(scene)
        posterior = posterior_of(coordinates, scene, rhat, count)
        truth = coordinates.clip(point_of(coordinates, scene))
        u = torch.rand(2, coordinates.size, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        x = coordinates.low[:, None] + (coordinates.high - coordinates.low)[:, None] * u
        azimuth = coordinates.split(x)[3]
        azimuth[:, 0], azimuth[:, 1] = -0.9, 0.9  # apart, as the prior has them, and far from the truth
        none = find_modes(posterior, x, posterior(x), x[:, :, :1], Options(search_steps=0))
        with_truth = find_modes(posterior, x, posterior(x), truth, Options(search_steps=0))
        assert torch.equal(none.value.amax(1) < with_truth.value.amax(1), torch.full((2,), used))
