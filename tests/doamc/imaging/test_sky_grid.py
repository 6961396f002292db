import math

import numpy as np
import pytest

from doamc.errors import ImagingError
from doamc.imaging.sky_grid import FRONT, angles_of, direction_of, field, panorama


def test_about_the_zenith_columns_and_rows_are_the_direction_cosines():
    grid = field(pixels=21)
    u, v = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 21))
    inside = u**2 + v**2 <= 1 + 1e-12
    assert (grid.inside == inside).all()
    np.testing.assert_allclose(grid.directions[inside][:, :2], np.stack([u, v], -1)[inside], atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(grid.directions[inside], axis=1), 1.0)
    assert (grid.directions[inside][:, 2] >= -1e-15).all() and not grid.directions[~inside].any()


def test_a_field_is_about_its_centre_with_azimuth_to_the_right_and_elevation_upwards():
    grid = field((30.0, 10.0), 0.1, 21)
    azimuth, elevation = angles_of(grid.directions)
    assert (azimuth[10, 10], elevation[10, 10]) == pytest.approx((30.0, 10.0))
    assert (np.diff(azimuth[10]) > 0).all() and (np.diff(elevation[:, 10]) > 0).all()
    turn = grid.directions[10, 0] @ grid.directions[10, 20]
    assert math.degrees(math.acos(turn)) == pytest.approx(2 * math.degrees(math.asin(0.1)))


def test_a_panorama_is_azimuth_and_elevation():
    grid = panorama((0.0, 360.0), (0.0, 90.0), 181)
    assert grid.shape == (46, 181)
    azimuth, elevation = angles_of(grid.directions)
    np.testing.assert_allclose(elevation[:, 0], np.linspace(0, 90, 46), atol=1e-9)
    np.testing.assert_allclose(azimuth[0, :90] % 360, np.linspace(0, 178, 90), atol=1e-9)


@pytest.mark.parametrize("grid", [field(pixels=33), field(FRONT, 0.4, 33), panorama((-180.0, 180.0), (0.0, 80.0), 73)])
def test_places_are_those_of_the_pixels(grid):
    inside = grid.inside.copy()
    inside[:, -1] = False  # where a turn closes, the first column is meant
    columns, rows = np.meshgrid(grid.columns, grid.rows)
    place = grid.place(grid.directions[inside])
    np.testing.assert_allclose(place, np.stack([columns, rows], -1)[inside], atol=1e-7)


def test_what_is_behind_has_no_place():
    behind = direction_of(np.array([180.0]) * math.pi / 180, np.array([0.0]))
    assert np.isnan(field(FRONT, 1.0, 9).place(behind)).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: field((0.0, 91.0)), lambda: field(half_width=0.0), lambda: field(half_width=1.5),
        lambda: field(pixels=1), lambda: field(pixels=4096), lambda: panorama((0.0, 400.0)),
        lambda: panorama((10.0, 10.0)), lambda: panorama(elevation_deg=(0.0, 100.0)), lambda: field((math.nan, 0.0)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make):
    with pytest.raises(ImagingError, match="expected"):
        make()
