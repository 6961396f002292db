"""Training examples are those of their seed."""

import torch

from doamc.posterior.training.examples import draw_example
from doamc.spec import load_spec


def test_the_same_seed_draws_the_same_example():
    a, b = (draw_example(load_spec("ula8"), 16, 2, 7) for _ in range(2))
    assert torch.equal(a.covariance, b.covariance) and torch.equal(a.known, b.known)
    assert a.snapshots.min() >= 1 and a.snapshots.max() <= 1e6
