"""Which starts chains get."""

import torch

from doamc.posterior.proposals.mode_draws import ModeStarts
from doamc.posterior.proposals.prior_draws import PriorSample
from doamc.posterior.proposals.starts import choose_starts
from doamc.posterior.proposals.weights import WeightedProposals
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_a_reliable_prior_sample_goes_before_modes_and_these_before_weighted_proposals():
    scene, rhat, count = observed("ula8", 4, 1, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = coordinates.clip(point_of(coordinates, scene)).expand(-1, -1, 2)
    value = torch.arange(3.0).double()[:, None, None].expand(3, 4, 2)  # who is who
    eye = torch.eye(coordinates.size, dtype=torch.float64).expand(4, 2, -1, -1)
    reliable = torch.tensor([True, False, True, False])
    localised = torch.tensor([True, True, False, False])
    near, prior = ModeStarts(x, value[0], eye), PriorSample(x, value[1], x, value[1], reliable)
    weighted = WeightedProposals(value[2], x, value[2])
    starts = choose_starts(posterior, localised, near, weighted, prior)
    assert starts.value[:, 0].tolist() == [1, 0, 1, 2] and starts.localised.tolist() == [False, True, False, False]
    assert torch.equal(starts.factors[1], eye[1]) and not torch.equal(starts.factors[3], eye[3])
    assert choose_starts(posterior, localised, near, weighted, None).value[:, 0].tolist() == [0, 0, 2, 2]
