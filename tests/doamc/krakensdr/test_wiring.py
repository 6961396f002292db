"""Channels around a ring, whichever way its elements are numbered."""

import math

import numpy as np
import pytest
import torch

from doamc.errors import ReceiverError
from doamc.krakensdr.scene import Scene
from doamc.krakensdr.wiring import channel_order, usual_order
from doamc.spec import load_spec


def azimuths(spec, order):
    x, y, _ = spec.positions[order].T
    return torch.rad2deg(torch.atan2(y, x)).round().remainder(360).tolist()


@pytest.mark.parametrize("name", ["uca5", "kraken5"])
def test_clockwise_is_antenna_m_at_minus_72_m_degrees(name):
    spec = load_spec(name)
    assert azimuths(spec, channel_order(spec, "clockwise")) == [0, 288, 216, 144, 72]
    assert azimuths(spec, channel_order(spec, "counter-clockwise")) == [0, 72, 144, 216, 288]


def test_the_order_follows_the_positions_whatever_the_numbering(tmp_path):
    points = [[0.35 * math.cos(a), 0.35 * math.sin(a)] for a in -2 * math.pi / 5 * np.array([0, 2, 4, 1, 3])]
    text = load_text("uca5").replace('kind = "uca"', 'kind = "positions"').replace("elements = 5", "")
    text = text.replace("radius_wavelengths = 0.35", f"points_wavelengths = {points}")
    text = text.replace("circulant", "reciprocal").replace("[[0.25, 0.50], [0.10, 0.30]]", "[[0.25, 0.50]]")
    (tmp_path / "mixed.toml").write_text(text)
    spec = load_spec(str(tmp_path / "mixed.toml"))
    assert channel_order(spec, "as-specified") == [0, 1, 2, 3, 4]
    assert azimuths(spec, channel_order(spec, "clockwise")) == [0, 288, 216, 144, 72]


def load_text(name):
    from importlib.resources import files

    return (files("doamc") / "specs" / f"{name}.toml").read_text()


def test_a_ring_is_wired_as_the_manual_says_unless_its_specification_says_how(tmp_path):
    assert usual_order(load_spec("uca5")) == usual_order(load_spec("kraken5")) == "clockwise"
    spec = load_spec("krakensdr")
    assert usual_order(spec) == "as-specified"
    assert channel_order(spec, "as-specified") == channel_order(spec, "clockwise") == [0, 4, 3, 2, 1]
    (tmp_path / "own.toml").write_text('name = "own"\nlike = "uca5"\n[geometry]\nchannels = [1, 0, 2, 3, 4]\n')
    own = load_spec(str(tmp_path / "own.toml"))
    in_metres = 'name = "own"\nlike = "uca5"\n[geometry]\nradius_m = 0.2\norder = "counter-clockwise"\n'
    (tmp_path / "metres.toml").write_text(in_metres)
    assert usual_order(load_spec(str(tmp_path / "metres.toml"), tunable=True)) == "as-specified"
    assert channel_order(own, usual_order(own)) == [1, 0, 2, 3, 4]


def test_a_line_has_no_way_round():
    spec = load_spec("ula4")
    assert usual_order(spec) == "as-specified"
    with pytest.raises(ReceiverError, match="expected a ring for the order clockwise, found ula4"):
        channel_order(spec, "clockwise")
    assert channel_order(spec, "3,0") == [3, 0]


@pytest.mark.parametrize("order", ["0,0", "5", "-1", "", "a", "0,1,", "sideways", "9" * 5000])
def test_what_is_no_order_is_refused(order):
    with pytest.raises(ReceiverError, match="expected as-specified") as caught:
        channel_order(load_spec("uca5"), order)
    assert len(str(caught.value)) < 250


def test_a_clockwise_ring_hears_what_physics_says():
    """Antenna m stands at -72 m degrees on a circle of 0.35 wavelengths; the coupling is that of the same antennas."""
    spec = load_spec("uca5")
    order = channel_order(spec, "clockwise")
    scene = Scene(spec, [40.0], snr_db=100.0, seed=1, order=order)
    stands = np.deg2rad(-72.0 * np.arange(5))
    plane_wave = np.exp(2j * np.pi * 0.35 * np.cos(stands - np.deg2rad(40.0)))
    expected = scene.coupling[np.ix_(order, order)] @ plane_wave
    found = scene.draw(1)[:, 0]
    assert np.allclose(found / found[0], expected / expected[0], atol=1e-3)
    mirrored = np.exp(2j * np.pi * 0.35 * np.cos(stands + np.deg2rad(40.0)))
    assert not np.allclose(found / found[0], scene.coupling @ mirrored / (scene.coupling @ mirrored)[0], atol=0.1)
