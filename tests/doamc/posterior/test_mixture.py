"""Samples over several kinds of coupling."""

import math

import pytest
import torch

from doamc.posterior.methods import Posterior
from doamc.posterior.mixture import mixed
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch


def test_each_kind_has_as_many_chains_as_it_is_probable():
    estimator, generator = Posterior("kraken5"), torch.Generator().manual_seed(1)
    scene = draw_scene(estimator.spec, 3, 1, 5.0, generator)
    (part,) = estimator.samples(make_batch(receive(scene, 50, "gaussian", generator).snapshots), 1)
    chains = estimator.options.chains
    log_evidence = torch.tensor([[0.0, math.log(3)], [0.0, -math.inf], [-math.inf, 0.0]], dtype=torch.float64) - 7e3
    again = mixed(part.kinds, log_evidence, estimator.spec, chains, 4)
    place, scale = again.samples.coordinates.normal, estimator.spec.family.scales
    for i, shares in enumerate([(24, 72), (96, 0), (0, 96)]):
        for kind, share in enumerate(shares):
            own = part.kinds[kind].samples.x[i].clone()
            own[place] *= scale[kind][:, None]  # in the parameters of the whole prior
            same = (again.samples.x[i] == own).all(0).unflatten(0, (-1, chains))
            assert torch.equal(same, same[:1].expand_as(same))  # all states of a chain are of one kind
            assert int(same[0].sum()) == share
    assert again.log_evidence.tolist() == pytest.approx([math.log(4) - 7e3, -7e3, -7e3])
