"""Batches fitted together: one free parameter against a dense grid, weights, and where the window ends."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.likelihood.mode_search import search_modes
from doamc.selfcal.belief import initial_belief, response_matrix
from doamc.selfcal.joint import fit_batch
from doamc.selfcal.places import Places
from doamc.selfcal.refit import gathered, refit
from doamc.selfcal.scene import known_family
from doamc.selfcal.start import start_family
from doamc.selfcal.window import KeptBatch, Window
from tests.doamc.selfcal.scenes import World, moving, outside


def one_parameter(world: World) -> tuple:
    """Start prior with a single pattern, the truth a draw of it, and the batches of a window."""
    start = start_family(world.spec)
    start = replace(start, patterns=start.patterns[:1])
    world.coupling = response_matrix(start, torch.tensor([0.8], dtype=torch.float64))
    belief, places, window = initial_belief(start), Places(world.spec, 1), Window()
    for k in range(6):
        observed = world.observe(moving(1.7 * k))
        fit = fit_batch(world.spec, places, belief, observed, [], False).fit()
        window = window.add(KeptBatch(observed.covariance[0], observed.snapshots, None, 2, fit.scene))
        window = window.forget(0.8)
    return start, belief, window


def test_with_one_parameter_it_is_the_posterior_on_a_grid():
    world = outside("ula8", 1)
    start, base, window = one_parameter(world)
    _, belief, z = refit(world.spec, base, torch.zeros(1, dtype=torch.float64), window)
    torch.testing.assert_close(belief.mean, z, atol=3e-3, rtol=0)
    # log posterior with every scene's own maximum, by brute force
    grid = z + torch.linspace(-3, 3, 13, dtype=torch.float64) * belief.covariance_root[0, 0]
    values = []
    for v in grid:
        (group,) = window.groups()
        posterior = group.posterior(world.spec, known_family(response_matrix(start, v[None]), start))
        x = group.scene[:, :, None]
        best = search_modes(posterior, x, posterior(x), 12, 1)[1][:, 0]
        values.append(float(group.weight @ best) - 0.5 * float(v) ** 2)
    bend, slope, _ = torch.from_numpy(np.polyfit(grid.numpy(), values, 2))
    assert float(-slope / (2 * bend)) == pytest.approx(float(z), abs=0.1 * float(belief.covariance_root))
    # Fisher information against the curvature at the data: they differ by the noise of 6 batches of 256
    assert float((-2 * bend) ** -0.5) == pytest.approx(float(belief.covariance_root), rel=0.08)
    # the weights faded: 0.8^6 ... 0.8
    torch.testing.assert_close(window.groups()[0].weight, 0.8 ** torch.arange(6, 0, -1, dtype=torch.float64))


def test_what_leaves_the_window_stays_known():
    world = outside("ula8", 2)
    start, base, window = one_parameter(world)
    window, whole, z = refit(world.spec, base, torch.zeros(1, dtype=torch.float64), window)
    old, rest = window.split(3)
    base = base.plus(*gathered(world.spec, start, z, old.groups()), z)
    _, parted, moved = refit(world.spec, base, z, rest)
    torch.testing.assert_close(moved, z, atol=0.05 * float(whole.covariance_root), rtol=0)
    torch.testing.assert_close(parted.covariance_root, whole.covariance_root, rtol=5e-3, atol=0)
