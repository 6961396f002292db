"""Training examples of the batch-conditioned net: moments, the closed-form loss, and what the loss rewards."""

import math

import numpy as np
import pytest
import torch

from doamc.denoising.batch_net import BatchNet, factor_wiener
from doamc.denoising.batch_task import BatchTask
from doamc.denoising.batch_training import draw_moments, excess_error, make_example
from doamc.denoising.scene_start import scene_estimator
from doamc.spec import load_spec

SPEC = load_spec("ula8")


@pytest.fixture(scope="module")
def example():
    return make_example(scene_estimator(SPEC), draw_moments(SPEC, 40, 2, 50, seed=3, snr_db=0.0), 2, 50, False)


def test_moments_have_the_means_of_their_definition():
    """Over 4000 scenes E[n n^H] = I, E[x n^H] = 0 and E[x x^H] = R_x0; deviations of a Wishart mean, 5 sigma."""
    m = draw_moments(SPEC, 4000, 2, 10, seed=1, snr_db=0.0)
    eye = torch.eye(8, dtype=torch.complex128)
    assert (m.noise.mean(0) - eye).abs().max() < 5 / math.sqrt(40_000)
    size = float(m.truth.diagonal(dim1=1, dim2=2).real.mean())
    assert m.mixed.mean(0).abs().max() < 10 * math.sqrt(size / 40_000)
    assert ((m.signal - m.truth).mean(0).abs().max() / size) < 0.1
    assert torch.allclose(m.covariance, m.covariance.mH)
    assert (torch.linalg.eigvalsh(m.covariance) > -1e-9).all()


def test_a_single_snapshot_has_rank_one_moments():
    m = draw_moments(SPEC, 20, 2, 1, seed=1, snr_db=10.0)
    assert (torch.linalg.matrix_rank(m.covariance, rtol=1e-9) == 1).all()


def test_the_loss_is_the_error_of_drawn_snapshots():
    """Closed form against 200 000 draws of z for one batch: within 2 %."""
    moments = draw_moments(SPEC, 1, 2, 12, seed=5, snr_db=0.0)
    one = make_example(scene_estimator(SPEC), moments, 2, 12, True)
    net, level = BatchNet(SPEC), 0.4
    with torch.no_grad():
        closed = float(excess_error(net, one, torch.tensor([level], dtype=torch.float64)))
        factor = net(one.covariance, one.n_snapshots, one.response, one.known)
    # snapshots with exactly these moments: a root of the joint moment matrix as "12 snapshots", plus fresh noise
    rows = [torch.cat([moments.signal, moments.mixed], 2), torch.cat([moments.mixed.mH, moments.noise], 2)]
    joint = torch.cat(rows, 1)
    values, vectors = torch.linalg.eigh(joint[0])
    root = vectors * values.clamp_min(0).sqrt()
    x, n = (root * math.sqrt(root.shape[1])).split(8)
    rng = np.random.default_rng(0)
    fresh = torch.from_numpy(rng.standard_normal((8, 200_000, 2))).view(8, -1, 2)
    fresh = torch.view_as_complex(fresh.contiguous()) / math.sqrt(2)
    pick = torch.arange(200_000) % root.shape[1]
    z = x[:, pick] + level * n[:, pick] + math.sqrt(level - level**2) * fresh
    w = factor_wiener(factor, torch.tensor([level], dtype=torch.float64))[0]
    error = float((w @ z - x[:, pick]).abs().square().sum(0).mean())
    values = torch.linalg.eigvalsh(moments.truth[0]).clamp_min(0)
    least = float((level * values / (values + level)).sum())
    assert closed == pytest.approx(error / least, rel=0.02)


def test_an_untrained_net_starts_from_the_most_probable_scene(example):
    ones = torch.ones(40, dtype=torch.float64)
    with torch.no_grad():
        fresh = excess_error(BatchNet(SPEC), example, ones)
    assert torch.allclose(fresh, excess_error(None, example, ones), rtol=0.02)
    assert float(fresh.mean()) > 1.0  # on average nothing beats the filter that knows the scene


def test_gradients_reach_every_weight(example):
    net = BatchNet(SPEC)
    with torch.no_grad():
        net.last.weight.normal_(std=0.01)
        for block in net.blocks:
            block.down.weight.normal_(std=0.01)
    excess_error(net, example, torch.full((40,), 0.5, dtype=torch.float64)).mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


def test_items_do_not_depend_on_the_batch(example):
    net = BatchNet(SPEC)
    part = example.select(torch.tensor([7]))
    with torch.no_grad():
        whole = net(example.covariance, example.n_snapshots, example.response, example.known)[7]
        alone = net(part.covariance, part.n_snapshots, part.response, part.known)[0]
    assert torch.allclose(whole, alone, atol=1e-4)


def test_the_receivers_gain_and_phase_references_do_not_matter(example):
    """Relative to the noise power nothing changes with gain; a phase of each source's response is no information."""
    net = BatchNet(SPEC)
    turned = example.response * torch.polar(torch.ones(2), torch.tensor([0.3, -2.0]))
    with torch.no_grad():
        net.last.weight.normal_(std=0.05)
        args = example.covariance, example.n_snapshots
        plain, other = (net(*args, v, example.known) for v in (example.response, turned))
    assert torch.allclose(plain @ plain.mH, other @ other.mH, atol=1e-3)


def test_the_same_step_draws_the_same_loss():
    one, two = (BatchTask(load_spec("ula4"), seed=1, batch=16) for _ in range(2))
    assert [float(one.loss(s).detach()) for s in range(3)] == [float(two.loss(s).detach()) for s in range(3)]
