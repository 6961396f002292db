"""Sample covariances drawn without drawing snapshots."""

import math

import numpy as np
import pytest
import torch

from doamc.scenes.prior import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import load_spec


@pytest.mark.parametrize("snapshots", [1, 3, 8, 500])
def test_bartlett_draws_have_the_moments_and_rank_of_wishart(snapshots):
    scene = draw_scene(load_spec("ula4"), 1, 2, 5.0, torch.Generator().manual_seed(1))
    r = scene.covariance
    n = 40_000
    count = torch.full((n,), float(snapshots), dtype=torch.float64)
    drawn = draw_covariance(r.expand(n, -1, -1), count, np.random.default_rng(0))
    spread = math.sqrt(1 / (snapshots * n))
    level = float(r.diagonal(dim1=1, dim2=2).real.max())
    assert (drawn.mean(0) - r[0]).abs().max() < 6 * spread * level
    # var of a diagonal entry is r_ii^2 / L
    found = drawn[:, 0, 0].real.var() * snapshots / r[0, 0, 0].real ** 2
    assert abs(float(found) - 1) < 0.08
    rank = torch.linalg.matrix_rank(drawn[:20], hermitian=True, rtol=1e-9)
    assert (rank == min(snapshots, 4)).all()
