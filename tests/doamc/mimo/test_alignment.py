"""Beam alignment: the best beams, the loss in closed form, zero without coupling and growing with it."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.arrays import steering
from doamc.mimo.alignment import alignment_loss_db, beam_gain, best_beams
from doamc.mimo.channel import Rays
from tests.doamc.mimo.links import drawn, small_link

LINK = small_link()


def channels(*shape, seed=0):
    re, im = torch.randn(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.complex(re, im)


def test_on_one_subcarrier_the_best_beams_are_singular_vectors():
    h = channels(5, 1, 4, 6)
    w, f = best_beams(h)
    assert torch.allclose(beam_gain(h, w, f), torch.linalg.matrix_norm(h[:, 0], 2).square())
    assert torch.allclose(w.norm(dim=1), torch.ones(5, dtype=torch.float64))
    assert torch.allclose(f.norm(dim=1), torch.ones(5, dtype=torch.float64))


def test_no_random_beams_beat_the_best_ones_and_the_loss_is_never_negative():
    h = channels(20, 3, 2, 2, seed=1)
    best = beam_gain(h, *best_beams(h))
    for seed in range(20):
        w, f = (x / x.norm(dim=1, keepdim=True) for x in (channels(20, 2, seed=seed), channels(20, 2, seed=seed + 999)))
        assert (beam_gain(h, w, f) <= best).all()
        assert (alignment_loss_db(h, w, f) >= 0).all()


def test_more_alternation_never_lowers_the_gain():
    h = channels(20, 3, 4, 5, seed=2)
    gains = torch.stack([beam_gain(h, *best_beams(h, iterations=n)) for n in (1, 2, 4, 8, 60)])
    assert (gains.diff(dim=0) > -1e-10).all()


def one_path(strength: float, seed: int) -> tuple[Rays, Rays]:
    """A path with coupling of a strength, and what an aligner believes that takes C = I."""
    rays, _ = drawn(LINK, seed, 1, 1, 2)
    true = Rays(rays.azimuth_rx, rays.azimuth_tx, rays.gains, strength * rays.theta_rx, strength * rays.theta_tx)
    return true, Rays(rays.azimuth_rx, rays.azimuth_tx, rays.gains, 0 * rays.theta_rx, 0 * rays.theta_tx)


def loss(strength: float, seed: int) -> float:
    true, believed = one_path(strength, seed)
    return float(alignment_loss_db(LINK.channel(true), *best_beams(LINK.channel(believed))))


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_the_loss_of_one_path_is_the_closed_form(seed, strength):
    true, _ = one_path(strength, seed)
    expected = 0.0
    for end, azimuth, theta in (
        (LINK.rx, true.azimuth_rx, true.theta_rx), (LINK.tx, true.azimuth_tx, true.theta_tx)
    ):  # fmt: skip
        a = steering(end.spec.positions, azimuth)[0, :, 0]
        ea = (end.spec.family.matrix(theta)[0, 0] - torch.eye(len(a))) @ a
        m = (a.conj() * ea).mean()
        r = ea - m * a
        expected += float(10 * torch.log10(1 + r.abs().square().sum() / ((1 + m).abs().square() * len(a))))
    assert loss(strength, seed) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_the_loss_is_zero_without_coupling_and_grows_with_it(seed):
    """The families of these arrays have |m| < 2 (0.35 + 0.15) = 1, so it grows up to strength 1."""
    losses = [loss(k, seed) for k in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert losses[0] == pytest.approx(0, abs=1e-9)
    assert all(b > a for a, b in pairwise(losses))


def test_who_knows_the_coupling_loses_nothing():
    rays, _ = drawn(LINK, 8, 6, 3, 4)
    h = LINK.channel(rays)
    assert alignment_loss_db(h, *best_beams(h)).abs().max() < 1e-6
