"""Proposals of couplings from one batch, by the array's own family."""

import torch

from doamc.selfcal.belief import response_matrix
from doamc.selfcal.seeds import NEARNESS, Seeds, nearest_parameters
from doamc.selfcal.start import start_family
from doamc.spec import load_spec
from tests.doamc.selfcal.scenes import outside


def test_seeds_hold_the_coupling_of_the_family():
    """Where the array is in its family, one of the rank-reduction proposals is near it."""
    for seed in range(5):
        world = outside("ula8", seed, -80.0)
        seeds = Seeds(world.spec, start_family(world.spec))
        azimuth = torch.tensor([-0.4, 0.5], dtype=torch.float64)
        worst = min(
            float((response_matrix(seeds.start, z) - world.coupling).abs().square().sum())
            for _, z in seeds(world.observe(azimuth))
        )
        assert worst < 0.1 * float((world.coupling - torch.eye(8)).abs().square().sum())
    assert Seeds(load_spec("dipole8"), start_family(load_spec("dipole8")))(world.observe(azimuth)) == []


def test_the_nearest_parameters_match_a_coupling_to_the_nearness_asked_for():
    """Of a member of the start prior: what is left is due to the prior, which weighs as much as that."""
    spec = load_spec("uca5")
    start = start_family(spec)
    z = torch.randn(start.n_parameters, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = nearest_parameters(start, start.matrix(z))
    assert float((start.matrix(found) - start.matrix(z)).abs().max()) < 2 * NEARNESS
    assert float(found.square().sum()) <= float(z.square().sum())  # no larger than what made it
