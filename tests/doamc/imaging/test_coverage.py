"""Baselines turned by the Earth: what geometry says, and the cells that they pass."""

import numpy as np
import pytest

from doamc.errors import ImagingError
from doamc.imaging.coverage import equatorial, grid_mask, tracks


def test_at_the_zenith_baselines_are_the_map():
    """A source that passes overhead: u is east, v is north, and w is up."""
    enu = np.array([[0.0, 0, 0], [3, 0, 0], [0, 5, 0], [0, 0, 7]])
    found = tracks(equatorial(enu, 40.0), 40.0, np.zeros(1))
    assert np.allclose(found[:3], -enu[1:], atol=1e-12)


def test_an_east_west_baseline_turns_on_an_ellipse():
    """u^2 + (v / sin d)^2 = L^2, [Thompson] ch. 4; all lengths stay."""
    found = tracks(equatorial(np.array([[0.0, 0], [4.0, 0]]), 25.0), 50.0, np.linspace(-6, 6, 13))
    assert np.allclose(found[:, 0] ** 2 + (found[:, 1] / np.sin(np.deg2rad(50))) ** 2, 16)
    assert np.allclose(np.square(found).sum(1), 16)


def test_pairs_of_which_one_does_not_see_are_left_out():
    hours = np.array([[0.0, 0.0, np.nan], [1.0, 1.0, 1.0]])
    assert tracks(np.eye(3), 10.0, hours).shape == (1 + 3, 3)


def test_masks_are_hermitian_and_hold_the_longest_baseline():
    uv = np.random.default_rng(1).normal(size=(30, 2)) * 1e5
    for side in (16, 17):
        mask = grid_mask(uv, side)
        assert (mask == np.roll(mask[::-1, ::-1], (1, 1), (0, 1))).all() and not mask[0, 0]
        k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
        assert abs(k[mask].max() - 0.95 * side / 2) < 1
    with pytest.raises(ImagingError, match="found none"):
        grid_mask(np.zeros((3, 2)), 16)
