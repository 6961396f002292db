"""``doamc image``: files in and out, as the conventions say; errors in one line."""

import numpy as np
import pytest

from doamc.cli import main
from doamc.imaging.files import write_visibilities
from doamc.imaging.methods import METHODS
from doamc.imaging.visibilities import make_visibilities
from tests.doamc.imaging.skies import blob, hermitian_mask, observe


@pytest.fixture
def visibilities(tmp_path):
    rng = np.random.default_rng(1)
    mask = hermitian_mask((16, 16), rng)
    skies = np.array([blob(16, 5, 6, 1.5, 3.0), blob(16, 9, 4, 0.8, 3.0)])
    path = tmp_path / "v.npz"
    write_visibilities(path, make_visibilities(observe(skies, mask, 0.01, rng), mask, 0.01))
    return str(path)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("weights") / "w.safetensors")
    assert main(["train", "--net", "sky", "--steps", "1", "--threads", "1", "--out", path]) == 0
    return path


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_writes_images(method, visibilities, tmp_path, capsys):
    assert main(["image", visibilities, "-o", str(tmp_path / "o.npz"), "--method", method, "--steps", "20"]) == 0
    told = capsys.readouterr().out
    assert "2 skies of 16 x 16 pixels" in told and f"{method}, residual" in told
    with np.load(tmp_path / "o.npz") as found:
        assert found["image"].shape == found["residual"].shape == (2, 16, 16)
        assert ("std" in found) == (method == "wiener")
        peak = np.unravel_index(found["image"][0].argmax(), (16, 16))
        assert np.abs(np.subtract(peak, (5, 6))).max() <= 1


@pytest.mark.parametrize("method", ["posterior", "ddrm"])
def test_methods_that_learn_take_weights_steps_and_samples(method, weights, visibilities, tmp_path, capsys):
    """With weights of one step of training: shapes, deviations, the same for the same seed, others for another."""
    found = {}
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        out = str(tmp_path / f"{name}.npz")
        options = ["--method", method, "--weights", weights, "--steps", "3", "--samples", "2", "--seed", seed]
        assert main(["image", visibilities, "-o", out, *options]) == 0
        with np.load(out) as file:
            found[name] = file["image"], file["std"]
    assert found["a"][0].shape == found["a"][1].shape == (2, 16, 16) and (found["a"][1] > 0).any()
    assert np.array_equal(found["a"], found["b"]) and not np.array_equal(found["a"], found["c"])
    assert f"{method}, residual" in capsys.readouterr().out


def test_weights_that_are_none_are_said(visibilities, tmp_path, capsys):
    options = ["--weights", str(tmp_path / "none.safetensors")]
    assert main(["image", visibilities, "-o", str(tmp_path / "o.npz"), *options]) == 2
    assert "doamc train --net sky" in capsys.readouterr().err


def test_fits_has_coordinates_and_the_deviation(visibilities, tmp_path):
    fits, wcs = pytest.importorskip("astropy.io.fits"), pytest.importorskip("astropy.wcs")
    out = str(tmp_path / "o.fits")
    options = ["--method", "wiener", "--pixel", "2", "--direction", "83.6", "22"]
    assert main(["image", visibilities, "-o", out, *options]) == 0
    with fits.open(out) as layers:
        assert [layer.data.shape for layer in layers] == [(2, 16, 16)] * 2 and layers[1].name == "STD"
        there = wcs.WCS(layers[0].header).celestial.pixel_to_world_values(8, 9)
        assert np.allclose(there, (83.6, 22 + 2 / 3600), atol=1e-7)


def test_a_picture_is_drawn(visibilities, tmp_path):
    picture = tmp_path / "o.png"
    arguments = ["--method", "wiener", "--picture", str(picture)]
    assert main(["image", visibilities, "-o", str(tmp_path / "o.npz"), *arguments]) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "o.txt"], "ends in .npz or .fits"),
        (["-o", "none/o.npz"], "no folder"),
        (["-o", "o.npz", "--picture", "o.txt"], "file that ends in .png, .pdf or .svg"),
        (["-o", "o.fits", "--direction", "0", "91"], "declination"),
        (["-o", "o.npz", "--method", "guess"], "invalid choice"),
        (["-o", "o.npz", "--steps", "1"], "whole number >= 2"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, message, visibilities, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["image", visibilities, *arguments])
    except SystemExit as exit:
        status = exit.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert status == 2 and len(lines) == 1 and message in lines[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v.npz"]


def test_a_file_that_is_none_is_one_line(tmp_path, capsys):
    assert main(["image", str(tmp_path / "none.npz"), "-o", str(tmp_path / "o.npz")]) == 2
    assert "found none" in capsys.readouterr().err


def test_what_is_no_grid_is_imaged_as_an_array(tmp_path, capsys):
    snapshots = np.random.default_rng(1).standard_normal((1, 5, 64)) * (1 + 1j)
    np.savez(tmp_path / "s.npz", snapshots=snapshots)
    options = ["--array", "uca5", "--coupling", "none", "--pixels", "16"]
    assert main(["image", str(tmp_path / "s.npz"), "-o", str(tmp_path / "o.npz"), *options]) == 0
    assert "uca5, coupling left in" in capsys.readouterr().out
