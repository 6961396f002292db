"""Skies that are drawn: peak, floor, sizes, and how a sum of ellipses becomes an image."""

import math

import pytest
import torch

from doamc.skies.components import Components
from doamc.skies.generator import KINDS, draw_skies
from doamc.skies.parts import Jets, Place


def test_an_ellipse_is_what_its_formula_says():
    one = Components(*(torch.tensor([[v]]) for v in (2.0, 3.5, -1.0, 4.0, 1.5, 0.6)))
    image = one.image(32)[0]
    for row, column in ((15, 19), (10, 22), (20, 16)):
        dx, dy = column - 16 - 3.5, row - 16 + 1.0
        p, q = dx * math.cos(0.6) + dy * math.sin(0.6), -dx * math.sin(0.6) + dy * math.cos(0.6)
        expected = 2 * math.exp(-0.5 * ((p / 4) ** 2 + (q / 1.5) ** 2))
        assert float(image[row, column]) == pytest.approx(expected, rel=1e-4)


def test_an_amplitude_of_zero_is_no_component():
    none = Components.round(*(torch.zeros(3, 2) for _ in range(3)), torch.ones(3, 2))
    assert float(none.image(16).abs().max()) == 0


@pytest.mark.parametrize("size", [33, 64, 100])
def test_skies_have_peak_one_and_no_negative_pixel(size):
    skies = draw_skies(12, size, torch.Generator().manual_seed(0), broad=0.0)
    assert skies.shape == (12, size, size) and skies.dtype == torch.float32
    assert float(skies.min()) >= 0 and torch.allclose(skies.amax((1, 2)), torch.ones(12))


def test_what_is_cut_out_of_a_larger_image_is_not_brighter_than_one():
    skies = draw_skies(60, 64, torch.Generator().manual_seed(1), broad=1.0)
    assert float(skies.max()) <= 1 and bool((skies.amax((1, 2)) < 0.9).any())


def test_the_same_seed_draws_the_same_skies():
    one, two, other = (draw_skies(3, 32, torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_shares_of_the_kinds_are_all():
    assert sum(KINDS.values()) == pytest.approx(1)


def test_sources_take_the_same_part_of_an_image_of_any_size():
    """Root mean square of a sky, which its extent decides: 0.1 within a quarter, for 150 skies."""
    rms = [
        float(draw_skies(150, n, torch.Generator().manual_seed(2), broad=0.0).square().mean().sqrt()) for n in (32, 64)
    ]
    assert rms == [pytest.approx(0.1, rel=0.25)] * 2 and rms[0] == pytest.approx(rms[1], rel=0.15)


def test_tails_bend_to_one_side_and_jets_leave_in_opposite_directions():
    bent = torch.ones(50, 1, dtype=torch.bool)
    jets = Jets.draw(bent, ~bent, torch.Generator().manual_seed(3))
    start = torch.full((50, 1), 1e-3)
    (x, y), (v, w) = (torch.cat(jets.point(start, side), 1).mT for side in (0, 1))
    assert torch.allclose(x, -v, atol=1e-4) and torch.allclose(y, -w, atol=1e-4)
    ends = [torch.cat(jets.point(torch.ones(50, 1), side), 1) for side in (0, 1)]
    across = torch.cat([-jets.heading_rad.sin(), jets.heading_rad.cos()], 1)
    assert bool(((ends[0] * across).sum(1) * (ends[1] * across).sum(1) > 0).all())


def test_a_place_scales_with_its_unit():
    place = Place(torch.zeros(1, 1), torch.zeros(1, 1), torch.full((1, 1), 3.0))
    there = place.at(torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1), torch.full((1, 1), 2.0))
    assert float(there.x[0, 0]) == 3 and float(there.major[0, 0]) == 6
