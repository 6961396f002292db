"""The start prior: moments of its parts, reciprocity, channels."""

import math

import pytest
import torch

from doamc.selfcal.start import reciprocal_patterns, start_family
from doamc.spec import load_spec


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_its_covariance_is_that_of_the_family_and_of_what_is_outside(array):
    spec = load_spec(array)
    family = spec.family
    theta = family.draw((40000,), torch.Generator().manual_seed(3))
    inside = (family.matrix(theta) - family.matrix(theta.mean(0))).abs().square().mean(0)
    c = start_family(spec, spread_db=-300.0)
    # 40000 draws: 1.5 % at three standard errors, and as much for the draws that the prior itself is made of
    torch.testing.assert_close(c.patterns.abs().square().sum(0), inside, rtol=0.03, atol=1e-6)
    wide = start_family(spec, spread_db=-15.0)
    more = wide.patterns.abs().square().sum() - c.patterns.abs().square().sum()
    total = family.matrix(theta).abs().square().mean(0).sum()
    assert float(more / total) == pytest.approx(10**-1.5, rel=0.02)


def test_it_is_symmetric_with_mean_diagonal_one_and_reaches_every_such_matrix():
    start = start_family(load_spec("ula8"))
    assert torch.allclose(start.patterns, start.patterns.mT) and torch.allclose(start.mean, start.mean.mT)
    assert start.centre.diagonal().mean().item() == pytest.approx(1.0)
    assert float(start.basis.diagonal(dim1=1, dim2=2).mean(1).abs().max()) < 1e-12
    # 28 pairs and 7 differences of the diagonal, real and imaginary
    assert start.n_parameters == 70
    assert torch.linalg.matrix_rank(torch.view_as_real(start.patterns).flatten(1)).item() == 70


def test_entries_outside_the_family_are_equally_likely():
    power = reciprocal_patterns(6, 2.0).abs().square().sum(0)
    off = power[~torch.eye(6, dtype=torch.bool)]
    assert float(power.sum()) == pytest.approx(2.0)
    torch.testing.assert_close(off, off[:1].expand_as(off))
    # a diagonal entry loses its share of the mean
    torch.testing.assert_close(power.diagonal(), off[:6] * (1 - 1 / 6))


def test_channels_have_their_own_gains_and_phases():
    spec = load_spec("ula8")
    plain = start_family(spec, -60.0)
    start = start_family(spec, -60.0, channel_db=1.0, channel_deg=10.0)
    more = (start.patterns.abs().square().sum(0) - plain.patterns.abs().square().sum(0)).diagonal()
    wanted = (math.log(10) / 20) ** 2 + math.radians(10.0) ** 2
    torch.testing.assert_close(more, torch.full_like(more, wanted), rtol=0.02, atol=0)


def test_a_family_drawn_from_antennas_keeps_its_blocks():
    spec = load_spec("dipole8")
    start = start_family(spec)
    assert start.mean.shape == spec.family.mean.shape and start.n_blocks == spec.family.n_blocks > 1
    assert start.n_parameters >= spec.family.n_parameters
