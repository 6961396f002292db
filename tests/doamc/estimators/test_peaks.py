import math

import pytest
import torch

from doamc.estimators.peaks import azimuth_grid, highest_peaks
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec


def test_grid_covers_a_sector_with_both_ends_and_a_circle_without_the_seam():
    line = torch.rad2deg(azimuth_grid(load_spec("ula8"), 0.5))
    assert (len(line), float(line[0]), float(line[-1])) == (241, pytest.approx(-60), pytest.approx(60))
    circle = torch.rad2deg(azimuth_grid(load_spec("uca5"), 1.0))
    assert (len(circle), float(circle[0]), float(circle[-1])) == (360, 0.0, pytest.approx(359))


def test_a_parabola_is_found_between_grid_points():
    grid = torch.linspace(-1, 1, 41, dtype=torch.float64)
    top = torch.tensor([-0.513, 0.0, 0.3333], dtype=torch.float64)[:, None]
    found = highest_peaks(-((grid - top) ** 2), grid, 1, False)
    assert (found - top).abs().max() < 1e-12


def test_highest_of_several_peaks_ascending():
    grid = torch.linspace(0, 10, 1001, dtype=torch.float64)
    heights = {1.0: 2.0, 3.0: 5.0, 6.0: 1.0, 8.0: 4.0}
    spectrum = sum(h * torch.exp(-((grid - x) ** 2) / 0.02) for x, h in heights.items())[None]
    assert highest_peaks(spectrum, grid, 3, False)[0].tolist() == pytest.approx([1.0, 3.0, 8.0], abs=1e-6)


def test_a_rising_end_counts_as_a_peak_and_a_falling_one_does_not():
    grid = torch.linspace(0, 1, 101, dtype=torch.float64)
    bump = 0.5 * torch.exp(-((grid - 0.4) ** 2) / 0.001)
    assert highest_peaks((grid + bump)[None], grid, 2, False)[0].tolist() == pytest.approx([0.4, 1.0], abs=0.01)
    assert highest_peaks((bump - grid)[None], grid, 2, False)[0, 0] == 0.0


def test_a_peak_across_the_seam_is_refined_and_wrapped():
    spec = edited_spec("uca5", sector={"azimuth_deg": [0.0, 360.0]})
    grid = azimuth_grid(spec, 1.0)
    for top in (math.radians(359.7), math.radians(0.3)):
        found = highest_peaks((grid - top).cos()[None], grid, 1, True)
        assert float(found) == pytest.approx(top, abs=1e-5)
        assert 0 <= float(found) < 2 * math.pi
