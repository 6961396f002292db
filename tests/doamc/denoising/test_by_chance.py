"""Correlated sources taken for emitters of their own."""

import torch

from doamc.denoising.by_chance import correlated_again, uncorrelated
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec


def test_samples_without_their_correlation_are_those_of_an_angle_of_zero():
    generator = torch.Generator().manual_seed(1)
    scene = draw_scene(load_spec("uca5"), 2, 2, 10.0, generator)
    batch = make_batch(receive(scene, 40, generator=generator).snapshots)
    (part,) = Posterior("uca5", coherent="yes").samples(batch, 2)
    plain = uncorrelated(part)
    assert plain.samples.coordinates.n_pairs == 0 and part.samples.coordinates.n_pairs == 1
    x = plain.samples.x[:, :, :20]
    some = torch.tensor([True, False])
    again = correlated_again(part, plain.samples.x, some).samples
    torch.testing.assert_close(
        again.posterior.log_likelihood(again.x[:, :, :20])[0], plain.samples.posterior.log_likelihood(x)[0]
    )
    assert torch.equal(again.x[1], part.samples.x[1])
