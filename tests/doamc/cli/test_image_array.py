"""What an array received as an image: captures, snapshots, integrated visibilities."""

import numpy as np
import pytest

from doamc.calibration import save_coupling
from doamc.cli import main
from doamc.cli.image_array import is_array_input
from doamc.imaging.array_files import write_visibilities
from doamc.imaging.integration import Integration
from doamc.snapshots.npz import write_snapshots
from doamc.snapshots.sigmf_write import write_recording
from tests.doamc.imaging.array_scene import circle, circulant, scene

C = circulant(16, 0.25 * np.exp(0.6j), 0.1 * np.exp(-2.0j))
SKY = scene(circle(), [20.0, 110.0], 0.0, [1.0, 0.5], coupling=C)


def samples(length=40_000, seed=0):
    rng = np.random.default_rng(seed)
    shape = 16, length
    z = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    return np.linalg.cholesky(SKY.covariance) @ z


def image(path, out, *options):
    given = ["image", path, "-o", out, "--pixels", 48, *options]
    assert main([str(word) for word in given]) == 0


def refused(path, out, *options):
    """Exit status 2, whose line is for capsys."""
    return main([str(word) for word in ["image", path, "-o", out, *options]]) == 2


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp("capture") / "sky.sigmf-meta"
    write_recording(path, samples(), sample_rate_hz=1e5, frequency_hz=433e6, array="uca16")
    return path


def test_the_estimated_coupling_is_taken_out_of_a_capture(capture, tmp_path, capsys):
    image(capture, tmp_path / "out.npz", "--batches", 2)
    image(capture, tmp_path / "left.npz", "--coupling", "none", "--sources", 2)
    told = capsys.readouterr()
    assert "uca16, coupling taken out, dynamic range" in told.out and "coupling left in" in told.out
    assert "mirror image" in told.err
    with np.load(tmp_path / "out.npz") as out, np.load(tmp_path / "left.npz") as left:
        assert out["image"].shape == out["std"].shape == out["residual"].shape == (1, 48, 48)
        assert out["azimuth_deg"] == pytest.approx([20.0, 110.0], abs=0.2)  # of a beam of 16.8
        assert np.linalg.norm(out["coupling"] - C) < 0.02 * np.linalg.norm(C)
        assert out["snapshots"] == pytest.approx(40_000, rel=0.05) and out["frequency_hz"] == 433e6
        assert "coupling" not in left
        # 40 000 snapshots, whose noise is 26 dB below the peak
        ranges = [10 * np.log10(f["peak"] / f["rms"]) for f in (out, left)]
        assert ranges[0] > ranges[1] + 10


def test_snapshots_and_a_file_of_the_coupling(tmp_path):
    write_snapshots(tmp_path / "y.npz", snapshots=samples().reshape(16, 4, -1).transpose(1, 0, 2))
    save_coupling(tmp_path / "c.toml", C)
    options = ("--array", "uca16", "--coupling", tmp_path / "c.toml", "--sources", 2)
    image(tmp_path / "y.npz", tmp_path / "out.npz", *options, "--picture", tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    with np.load(tmp_path / "out.npz") as out:
        np.testing.assert_allclose(out["coupling"], C)
        covariance = samples() @ samples().conj().T / 40_000
        w = np.linalg.inv(C)
        expected = w @ (covariance - out["noise_power"] * np.eye(16)) @ w.conj().T
        np.testing.assert_allclose(out["visibilities"], expected, atol=1e-9)


@pytest.mark.parametrize("name", ["y.sigmf-meta", "y.npz", "v.npz"])
def test_few_samples_are_refused_or_told(name, tmp_path, capsys):
    for length in (1, 15, 16, 40):
        y = samples(length)
        if name == "y.npz":
            write_snapshots(tmp_path / name, snapshots=y[None])
        elif name == "v.npz":
            r, parts = y @ y.conj().T / length, filter(None, (length - length // 2, length // 2))
            made = [Integration(r, k, count, 0.0, 1e5, None, 433e6, 0, "uca16", 1.0) for k, count in enumerate(parts)]
            write_visibilities(tmp_path / name, made)
        else:
            write_recording(tmp_path / name, y, sample_rate_hz=1e5, frequency_hz=433e6, array="uca16")
        few = ("--array", "uca16", "--coupling", "none", "--snapshots", min(length, 16))
        if length < 16:
            assert refused(tmp_path / name, tmp_path / "out.npz", *few)
            error = capsys.readouterr().err
            assert f"expected 16 samples of 16 elements at least, found {length}, whose" in error, error
        else:
            image(tmp_path / name, tmp_path / "out.npz", *few)
            assert ("no source is told" in capsys.readouterr().err) == (length < 25)


def test_powers_of_points_are_of_what_is_incident(tmp_path):
    """A short dipole hears by cos el: of the same samples, points are stronger by as much, in the same image."""
    sky = scene(circle(), [20.0, 110.0], [60.0, 30.0], [1.0, 0.9])
    made = Integration(sky.sample(100_000), 0, 100_000, 0.0, 1e5, None, None, 0, "", 1.0)
    write_visibilities(tmp_path / "v.npz", [made])
    (tmp_path / "dipole.toml").write_text('name = "d"\nlike = "uca16"\n[element]\npattern = "short-dipole"\n')
    for array, out in (("uca16", "plain.npz"), (tmp_path / "dipole.toml", "dipole.npz")):
        image(tmp_path / "v.npz", tmp_path / out, "--array", array, "--coupling", "none", "--sources", 2)
    with np.load(tmp_path / "plain.npz") as plain, np.load(tmp_path / "dipole.npz") as dipole:
        gain = np.cos(np.radians(plain["elevation_deg"])) ** 2
        np.testing.assert_allclose(dipole["power"], plain["power"] / gain)
        np.testing.assert_allclose(dipole["power_std"], plain["power_std"] / gain)
        np.testing.assert_array_equal(dipole["image"], plain["image"])
        np.testing.assert_array_equal(dipole["azimuth_deg"], plain["azimuth_deg"])


def test_what_cannot_be_imaged_is_named(tmp_path, capsys):
    """Noise alone tells no coupling, nor does a method without; numbers beyond all measure are none."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, 16, 200)) + 1j * rng.standard_normal((2, 16, 200))
    poisoned = noise.copy()
    poisoned[1, 2, 3] = np.nan
    covariance = np.full((1, 16, 16), np.nan + 0j)
    write_snapshots(tmp_path / "v.npz", covariance=covariance, snapshots=np.array([100]))
    out, array = tmp_path / "out.npz", ("--array", "uca16")
    for name, y in (("noise.npz", noise), ("huge.npz", 1e300 * noise), ("nan.npz", poisoned)):
        write_snapshots(tmp_path / name, snapshots=y)
    for name, options, words in (
        ("noise.npz", ("--estimator", "ml"), "expected sources to estimate the coupling by, found none in 2 batches"),
        ("noise.npz", ("--estimator", "music", "--sources", 1), "a method that estimates coupling, found music"),
        ("huge.npz", (), "expected finite samples of sizes up to 1e+140, found others"),
        ("nan.npz", ("--coupling", "none"), "expected finite samples"),
        ("v.npz", ("--coupling", "none"), "expected a finite covariance matrix (N, N), N >= 2, found NaN"),
    ):
        assert refused(tmp_path / name, out, *array, *options)
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1, error
    assert not out.exists()


def test_integrated_visibilities_in_a_field_as_a_picture(tmp_path, capsys):
    made = Integration(SKY.sample(100_000), 0, 100_000, 0.0, 1e5, None, 433e6, 0, "uca16", 1.0)
    write_visibilities(tmp_path / "v.npz", [made])
    save_coupling(tmp_path / "c.toml", C)
    options = ("--array", "uca16", "--coupling", tmp_path / "c.toml", "--centre", 20, 10, "--width", 60)
    image(tmp_path / "v.npz", tmp_path / "out.png", *options)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    image(tmp_path / "v.npz", tmp_path / "out.svg", *options[:4], "--panorama")
    assert b"elevation (deg)" in (tmp_path / "out.svg").read_bytes()
    write_visibilities(tmp_path / "v.sigmf-meta", [made])
    image(tmp_path / "v.sigmf-meta", tmp_path / "out.npz", *options[2:4])  # the recording tells the array
    with np.load(tmp_path / "out.npz") as out:
        assert out["azimuth_deg"] == pytest.approx([20.0, 110.0], abs=0.2) and out["snapshots"] == 100_000
    given = tmp_path / "v.npz", tmp_path / "no.npz", "--array"
    for options, words in (
        (("uca16",), "found estimated"),
        (("uca5", "--coupling", "none"), "expected 5 streams"),
        (("uca16", "--coupling", tmp_path / "none.toml"), "none.toml"),
        (("uca16", "--coupling", "none", "--picture", tmp_path / "no.txt"), "ends in"),
    ):
        assert refused(*given, *options) and words in capsys.readouterr().err
    assert (
        refused(tmp_path / "v.npz", tmp_path / "no.fits", *given[2:], "uca16") and "ends in" in capsys.readouterr().err
    )
    assert not list(tmp_path.glob("no.*"))


def test_which_inputs_are_of_an_array(tmp_path):
    write_snapshots(tmp_path / "grid.npz", visibilities=np.zeros(1))
    write_snapshots(tmp_path / "snapshots.npz", snapshots=np.zeros(1))
    kinds = {"grid.npz": False, "snapshots.npz": True, "capture.sigmf-meta": True, "capture.iq": True}
    for name, expected in kinds.items():
        assert is_array_input(str(tmp_path / name), None) is expected
