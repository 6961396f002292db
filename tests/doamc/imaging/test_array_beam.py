import math

import numpy as np
import pytest
from scipy.special import j0

from doamc.errors import ImagingError
from doamc.imaging.array_beam import ArrayBeam, facing, indistinguishable
from doamc.imaging.sky_grid import FRONT, direction_of, field

from .array_scene import circle, line, panel


def unit(azimuth_deg, elevation_deg):
    return direction_of(np.radians(azimuth_deg), np.radians(elevation_deg))


def test_the_beam_of_a_line_is_the_dirichlet_kernel():
    grid = field(FRONT, 1.0, 101)
    psf = ArrayBeam(line(8), grid).psf(unit(0.0, 0.0))[50]
    x = np.pi / 2 * grid.columns
    with np.errstate(invalid="ignore"):
        kernel = (np.sin(8 * x) / (8 * np.sin(x))) ** 2
    kernel[50] = 1.0
    np.testing.assert_allclose(psf, kernel, atol=1e-12)


def test_the_beam_of_a_full_circle_is_a_bessel_function():
    """A ring of 64 elements over a radius of one wavelength has no room for other modes."""
    grid = field(half_width=0.5, pixels=41)
    psf = ArrayBeam(circle(64, 1.0), grid).psf(unit(0.0, 90.0))
    u, v = np.meshgrid(grid.columns, grid.rows)
    np.testing.assert_allclose(psf, j0(2 * np.pi * np.hypot(u, v)) ** 2, atol=1e-9)


@pytest.mark.parametrize("azimuth, elevation", [(20.0, 40.0), (-110.0, 70.0)])
def test_the_dirty_image_of_a_point_is_the_beam_and_its_height_the_power(azimuth, elevation):
    beam = ArrayBeam(circle(), field(pixels=48))
    a = beam.response(unit(azimuth, elevation)[None])[0]
    dirty = beam.dirty(2.5 * np.outer(a, a.conj()))
    np.testing.assert_allclose(dirty, 2.5 * beam.psf(unit(azimuth, elevation)), atol=1e-12)
    assert beam.psf(unit(azimuth, elevation)).max() <= 1.0


def test_widths_are_those_of_the_main_lobe():
    """Along rising elevation a circle appears foreshortened by the sine of it; a Gaussian of the same curvature."""
    beam = ArrayBeam(circle(), field(pixels=8))
    radius = 1.2815
    half = math.sqrt(math.log(2) / (radius**2 / 2)) / (2 * math.pi)
    width = beam.width_deg(unit(20.0, 40.0))
    assert width == pytest.approx((2 * math.degrees(half), 2 * math.degrees(half) / math.sin(math.radians(40.0))))
    exact = 2 * math.degrees(1.1262 / (2 * math.pi * radius))  # J0(1.1262)^2 = 1/2
    assert width[0] == pytest.approx(exact, rel=0.05)
    assert beam.width_deg(unit(20.0, 0.0)) == pytest.approx((width[0], math.inf))


def test_the_clean_beam_has_half_its_height_where_the_main_lobe_has():
    grid = field((0.0, 90.0), 0.3, 101)
    beam = ArrayBeam(panel(6, 6) @ np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), grid)
    middle = unit(0.0, 90.0)
    row = beam.clean_beam(middle)[50]
    width = np.ptp(grid.columns[row > 0.5])
    assert math.degrees(width) == pytest.approx(beam.width_deg(middle)[0], abs=0.7)  # a pixel is 0.34 deg
    assert np.ptp(grid.columns[beam.psf(middle)[50] > 0.5]) == pytest.approx(width, rel=0.08)


@pytest.mark.parametrize(
    "positions, words, centre",
    [
        (line(), "line along y", (0.0, 0.0)),
        (line()[:, [1, 0, 2]], "line along x", (90.0, 0.0)),
        (circle(), "plane across z", (-90.0, 90.0)),
        (panel(), "plane across x", (0.0, 0.0)),
    ],
)
def test_what_cannot_be_told_apart_is_said(positions, words, centre):
    assert words in indistinguishable(positions)
    assert facing(positions) == pytest.approx(centre, abs=1e-9)


def test_an_array_in_three_dimensions_tells_all_directions_apart():
    positions = np.concatenate([circle(8), circle(4, 0.5) + np.array([0, 0, 0.5])])
    assert indistinguishable(positions) is None and facing(positions) == (-90.0, 90.0)
    beam = ArrayBeam(positions, field(pixels=8))
    assert beam.canonical(unit(10.0, -50.0)) == pytest.approx(unit(10.0, -50.0))


def test_of_directions_that_look_alike_the_one_in_front_is_meant():
    assert ArrayBeam(circle(), field(pixels=8)).canonical(unit(10.0, -50.0)) == pytest.approx(unit(10.0, 50.0))
    across = ArrayBeam(line(), field(FRONT, 1.0, 8))
    turned = unit(150.0, 20.0)
    assert across.canonical(turned) == pytest.approx(unit(math.degrees(math.asin(turned[1])), 0.0))
    for beam in (ArrayBeam(circle(), field(pixels=8)), across):
        one, other = beam.response(np.stack([turned, beam.canonical(turned)]))
        assert abs(one.conj() @ other) == pytest.approx(beam.n_elements)


def test_memory_is_bounded_before_it_is_taken():
    with pytest.raises(ImagingError, match="pixels for 64 elements"):
        ArrayBeam(circle(64), field(pixels=600))
