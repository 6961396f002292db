"""The window: weights that fade, kinds that are computed together, scenes eliminated from what it knows."""

import pytest
import torch

from doamc.selfcal.belief import response_matrix
from doamc.selfcal.scene import known_family
from doamc.selfcal.start import start_family
from doamc.selfcal.window import BatchStack, KeptBatch, Window, eliminate_scene, kept_batch
from tests.doamc.selfcal.scenes import moving, outside


def test_batches_of_several_kinds_are_grouped_and_put_back_in_their_places():
    world = outside("ula4", 3)
    kinds = [(1, None), (2, None), (1, 0.1), (2, None), (1, None)]
    made = [
        KeptBatch(world.covariance(moving(k))[0], 100.0, noise, p, torch.full((2 * p + (noise is None),), float(k)))
        for k, (p, noise) in enumerate(kinds)
    ]
    window = Window(tuple(made))
    groups = window.groups()
    assert sorted(tuple(g.where) for g in groups) == [(0, 4), (1, 3), (2,)]
    for g in groups:
        g.scene = g.scene + 10
    assert [float(b.scene[0]) for b in window.moved(groups).batches] == [10.0, 11.0, 12.0, 13.0, 14.0]


def test_a_batch_fades_with_the_window_that_it_is_in():
    world = outside("ula4", 3)
    window = Window()
    for k in range(4):
        observed = world.observe(moving(k))
        window = window.forget(0.9).add(kept_batch(observed, torch.zeros(5, dtype=torch.float64)))
    old, rest = window.forget(0.9).split(1)
    (first,), (others,) = old.groups(), rest.groups()
    torch.testing.assert_close(first.weight, torch.tensor([0.9**4], dtype=torch.float64))
    torch.testing.assert_close(others.weight, 0.9 ** torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64))
    (written,) = rest.moved([others]).groups()  # weights are written out, and nothing is left to fade twice
    torch.testing.assert_close(written.weight, others.weight)


def stack(world, start, count=3):
    """Batches at rough scenes: the true azimuths, 0 dB, and the noise of 15 dB."""
    batches = []
    for k in range(count):
        observed = world.observe(moving(2.0 * k))
        scene = torch.cat([torch.zeros(2), torch.tensor([-3.45]), moving(2.0 * k)]).double()
        batches.append(kept_batch(observed, scene))
    return BatchStack(batches, list(range(count)), 1.0)


def test_scenes_move_to_where_the_likelihood_is_larger_and_stay_there():
    world = outside("ula8", 1)
    start = start_family(world.spec)
    known = known_family(world.coupling, start)
    batches = stack(world, start)
    values = [batches.move_scenes(world.spec, known, steps) for steps in (0, 4, 4, 4)]
    assert values[1] > values[0] + 1 and values[3] == pytest.approx(values[2], abs=0.02)


def test_what_is_left_of_a_batch_is_the_slope_of_its_best_likelihood():
    """The gradient of the profile likelihood at z = 0, by finite differences with the scenes moved every time."""
    world = outside("ula8", 2, -30.0)
    start = start_family(world.spec)
    batches = stack(world, start, 1)

    def profile(z):
        known = known_family(response_matrix(start, z), start)
        return batches.move_scenes(world.spec, known, 12)

    zero = torch.zeros(start.n_parameters, dtype=torch.float64)
    profile(zero)
    gradient, information = batches.reduced(world.spec, start)
    assert float(torch.linalg.eigvalsh(information[0]).min()) > -1e-6 * float(information[0].diagonal().max())
    for k in (0, 5, 20):
        step = torch.zeros_like(zero)
        step[k] = 1e-3 / max(1.0, float(information[0, k, k]) ** 0.5)
        slope = (profile(step) - profile(-step)) / (2 * float(step[k]))
        profile(zero)
        assert slope == pytest.approx(float(gradient[0, k]), rel=1e-4)


def test_eliminating_the_scene_is_the_inverse_of_the_block_of_the_inverse():
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(3, 9, 9, generator=generator, dtype=torch.float64)
    f, g = root @ root.mT + torch.eye(9), torch.randn(3, 9, generator=generator, dtype=torch.float64)
    own = slice(2, 6)
    slope, information = eliminate_scene(g, f, own)
    inverse = torch.linalg.inv(f)
    torch.testing.assert_close(torch.linalg.inv(information), inverse[:, own, own], rtol=1e-6, atol=1e-8)
    # a Newton step of the coupling alone is that of everything
    step = torch.linalg.solve(information, slope[..., None])
    torch.testing.assert_close(step, (inverse @ g[..., None])[:, own], rtol=1e-6, atol=1e-8)
