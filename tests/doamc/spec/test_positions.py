"""Positions of a capture against those of a specification: renumbered, moved, mirrored, turned, of another size."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from doamc.errors import SpecificationError
from doamc.spec import SPEED_OF_LIGHT, load_spec
from doamc.spec.positions import (
    TOLERANCE,
    TURN_DEG,
    channels_in_metres,
    channels_in_wavelengths,
    renumbering,
    stream_positions_m,
)
from tests.doamc.helpers.rings import numbered, ring
from tests.doamc.helpers.scenes import edited_spec

HERTZ = 433.9e6
WAVELENGTH = SPEED_OF_LIGHT / HERTZ


def places(name):
    return load_spec(name).positions.numpy()


def turned(points, angle_deg):
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def test_every_numbering_of_a_ring_is_found_wherever_it_stands():
    spec = load_spec("uca5")
    for channels in itertools.permutations(range(5)):
        points = places("uca5")[list(channels)] + [4.0, -7.0, 12.0]
        assert channels_in_wavelengths(spec, points) == channels
        assert channels_in_metres(spec, points * WAVELENGTH, [HERTZ]) == channels
        assert channels_in_metres(spec, points * 0.123, []) == channels  # no frequency: by its shape


@pytest.mark.parametrize("name", ["ula8", "ula4", "seed16", "dipole8"])
def test_a_line_that_is_numbered_from_its_other_end(name):
    spec = load_spec(name)
    channels = channels_in_wavelengths(spec, places(name)[::-1])
    assert channels == tuple(range(spec.n_elements))[::-1]
    assert (
        channels_in_wavelengths(spec, -places(name)) == channels
    )  # along -y, or turned by 180 degrees: it looks to +x
    assert "(c" not in renumbering(spec, channels)  # no sense of rotation


def test_a_ring_that_is_turned_by_its_own_symmetry_is_numbered_so():
    spec = load_spec("uca5")
    assert channels_in_wavelengths(spec, turned(places("uca5"), 72.0)) == (1, 2, 3, 4, 0)
    assert "elements 1, 2, 3, 4, 0 (counter-clockwise) of array uca5" in renumbering(spec, (1, 2, 3, 4, 0))
    assert "elements 2, 1, 0, 4, 3 (clockwise) of" in renumbering(spec, (2, 1, 0, 4, 3))
    assert "elements 1, 0, 2, 3, 4 of" in renumbering(spec, (1, 0, 2, 3, 4))
    assert renumbering(load_spec("krakensdr"), (0, 4, 3, 2, 1)) is None


def test_long_numberings_are_told_in_one_short_line():
    spec = edited_spec("ula8", geometry={"elements": 40})
    assert renumbering(spec, tuple(range(40))[::-1]).endswith("26, 25, 24, ... of array ula8, and are taken so")


def test_antennas_may_stand_a_little_beside_their_places():
    spec, rng = load_spec("uca5"), np.random.default_rng(1)
    rough = places("uca5") + 0.4 * TOLERANCE * rng.uniform(-1, 1, (5, 3))
    assert channels_in_wavelengths(spec, rough[[2, 0, 1, 4, 3]]) == (2, 0, 1, 4, 3)
    beside = places("uca5").copy()
    beside[3, 2] += 0.1
    with pytest.raises(SpecificationError, match=r"found that of channel 3 0\.08 wavelengths beside its place"):
        channels_in_wavelengths(spec, beside)  # 0.08: the centre has moved, too


def test_a_large_array_may_be_a_little_larger_or_smaller():
    assert channels_in_wavelengths(load_spec("seed16"), 1.02 * places("seed16")) == tuple(range(16))
    with pytest.raises(SpecificationError, match=r"found it 1\.1 times as large"):
        channels_in_wavelengths(load_spec("seed16"), 1.1 * places("seed16"))


@pytest.mark.parametrize("angle", [18.0, -18.0, 40.0, 3.0])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [0, 4, 3, 2, 1], [2, 0, 4, 1, 3]])
def test_what_is_turned_is_refused_with_the_angle(angle, order):
    points = turned(places("uca5"), angle)[order]
    sense = "counter-clockwise" if angle > 0 else "clockwise"
    # another numbering, by which the angle is less, says as much
    said = (
        rf"turned by ({abs(angle):.1f}|{72 - abs(angle):.1f}) deg (counter-clockwise|clockwise), by which every bearing"
    )
    with pytest.raises(SpecificationError, match=said) as error:
        channels_in_wavelengths(load_spec("uca5"), points)
    assert order != [0, 1, 2, 3, 4] or f"{abs(angle):.1f} deg {sense}" in str(error.value)


def test_a_turn_below_the_bar_passes():
    assert channels_in_wavelengths(load_spec("uca5"), turned(places("uca5"), 0.9 * TURN_DEG)) == (0, 1, 2, 3, 4)
    with pytest.raises(SpecificationError, match=r"turned by 1\.1 deg"):
        channels_in_wavelengths(load_spec("uca5"), turned(places("uca5"), 1.1 * TURN_DEG))


def test_a_line_along_x_looks_to_either_side_and_is_refused():
    with pytest.raises(SpecificationError, match=r"turned by 90\.0 deg"):
        channels_in_wavelengths(load_spec("ula8"), places("ula8")[:, [1, 0, 2]])


def test_the_mirror_image_of_an_uneven_array_is_another_array():
    table = {"kind": "positions", "points_wavelengths": [[0, 0], [0.5, 0], [0, 0.5], [0.6, 0.9], [1.0, 0.2]]}
    spec = replace(load_spec("uca5"), geometry=table)
    points = spec.positions.numpy()
    assert channels_in_wavelengths(spec, points[::-1]) == (4, 3, 2, 1, 0)
    with pytest.raises(SpecificationError, match="wavelengths beside its place"):
        channels_in_wavelengths(spec, points * [1, -1, 1])


def test_sizes_are_compared_at_the_frequency_of_the_capture_or_of_the_array():
    spec = load_spec("uca5@433.9e6")
    metres = places("uca5") * WAVELENGTH
    assert channels_in_metres(spec, metres, [868e6, spec.frequency_hz]) == (0, 1, 2, 3, 4)
    with pytest.raises(SpecificationError, match=r"found it 2 times as large; name the array that it is"):
        channels_in_metres(load_spec("uca5"), metres, [867.8e6])


def test_an_array_in_metres_is_compared_in_metres():
    spec = replace(load_spec("uca5"), geometry={"kind": "uca", "elements": 5, "radius_m": 0.2})
    assert spec.in_metres
    points = ring() / 0.35 * 0.2
    for frequency in (100e6, 900e6):
        assert channels_in_metres(spec, points, [frequency]) == (0, 4, 3, 2, 1)
    assert channels_in_wavelengths(spec, points / WAVELENGTH, HERTZ) == (0, 4, 3, 2, 1)
    assert channels_in_wavelengths(spec, points) == (0, 4, 3, 2, 1)  # no frequency: by its shape
    with pytest.raises(SpecificationError, match="times as large"):
        channels_in_metres(spec, 1.5 * points, [900e6])
    assert stream_positions_m(spec, 500e6) == pytest.approx(ring(72.0) / 0.35 * 0.2)
    assert stream_positions_m(spec, None) is None


def test_positions_of_streams_are_in_their_order(tmp_path):
    assert stream_positions_m(load_spec("krakensdr"), HERTZ) == pytest.approx(ring() * WAVELENGTH)
    assert stream_positions_m(load_spec("uca5@300e6"), HERTZ) == pytest.approx(ring(72.0) * SPEED_OF_LIGHT / 300e6)
    assert stream_positions_m(load_spec("uca5"), None) is None
    spec = load_spec(numbered(tmp_path / "n.toml", "ula4", [2, 0, 1, 3]))
    assert stream_positions_m(spec, 300e6)[:, 1] * 300e6 / SPEED_OF_LIGHT == pytest.approx([1.0, 0.0, 0.5, 1.5])


@pytest.mark.parametrize("points", [np.zeros((5, 3)), np.ones((5, 3))])
def test_antennas_in_one_place_are_refused(points):
    for frequencies in ([], [HERTZ]):
        with pytest.raises(SpecificationError, match="beside its place"):
            channels_in_metres(load_spec("uca5"), points, frequencies)


def test_elements_in_one_place_keep_the_order_that_the_array_has():
    table = {"kind": "positions", "points_wavelengths": [[0, 0], [0, 0], [0.5, 0], [0.5, 0], [0, 0.7]]}
    spec = replace(load_spec("uca5"), geometry=table)
    assert channels_in_wavelengths(spec, spec.positions.numpy() + 0.01) == (0, 1, 2, 3, 4)
    with pytest.raises(SpecificationError, match="beside its place"):
        channels_in_wavelengths(spec, spec.positions.numpy()[::-1])


def test_another_number_of_antennas_is_named():
    with pytest.raises(SpecificationError, match="expected 5 antennas, those of array uca5, found positions of 4"):
        channels_in_wavelengths(load_spec("uca5"), places("uca5")[:4])
