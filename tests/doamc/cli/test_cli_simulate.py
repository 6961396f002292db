"""``doamc simulate``: seeded scenes with their truth, and back through ``doamc estimate``."""

import numpy as np
import pytest

from doamc.estimates.truth_files import read_truth
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import load_spec


def _load(path):
    with np.load(path, allow_pickle=False) as z:
        return dict(z)


def test_npz_holds_snapshots_and_truth(doamc, tmp_path):
    path = tmp_path / "s.npz"
    status, text, err = doamc("simulate", "ula8", "-o", path, "--batches", 30, "--snapshots", 200, "--snr-db", -5)
    assert (status, err) == (0, "") and "ula8" in text
    z = _load(path)
    assert z["snapshots"].shape == z["clean"].shape == (30, 8, 200) and z["snapshots"].dtype == np.complex64
    assert z["doa_deg_true"].shape == z["power_db_true"].shape == (30, 2) and z["coupling_true"].shape == (30, 8, 8)
    assert "noise_power" not in z  # an estimator is not told unless asked
    spec = load_spec("ula8")
    assert (np.diff(z["doa_deg_true"]) >= spec.min_separation_deg - 1e-9).all()
    assert (abs(z["doa_deg_true"]) <= 60).all() and ((z["power_db_true"] <= 0) & (z["power_db_true"] >= -6)).all()
    np.testing.assert_allclose(z["noise_power_true"], 10**0.5)
    noise = abs(z["snapshots"] - z["clean"]) ** 2  # 48 000 samples: 3 sigma are 1.4 %
    assert noise.mean() == pytest.approx(10**0.5, rel=0.015)
    positions = spec.positions.numpy()[:, 1]
    for b in range(30):  # clean snapshots lie in the span of C A
        a = np.exp(2j * np.pi * positions[:, None] * np.sin(np.radians(z["doa_deg_true"][b])))
        v = z["coupling_true"][b] @ a
        rest = z["clean"][b] - v @ np.linalg.lstsq(v, z["clean"][b], rcond=None)[0]
        assert abs(rest).max() < 1e-5 * abs(z["clean"][b]).max()


def test_same_seed_same_file(doamc, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        doamc("simulate", "ula4", "-o", tmp_path / f"{name}.npz", "--batches", 3, "--seed", seed, "--known-noise")
    a, b, c = (_load(tmp_path / f"{n}.npz") for n in "abc")
    assert all((a[k] == b[k]).all() for k in a) and (a["snapshots"] != c["snapshots"]).all()
    np.testing.assert_array_equal(a["noise_power"], a["noise_power_true"])


@pytest.mark.parametrize("datatype", ["cf32_le", "ci16_le"])
def test_recording_comes_back_through_estimate(doamc, tmp_path, datatype):
    path = tmp_path / "s.sigmf-meta"
    assert doamc("simulate", "ula8", "-o", path, "--sources", 1, "--snr-db", 20, "--batches", 20, "--snapshots", 200,
                 "--waveform", "qpsk", "--datatype", datatype, "--frequency", "868e6", "--seed", 4)[0] == 0  # fmt: skip
    truth = Recording(path, 8).truth
    assert truth["array"] == "ula8" and truth["waveform"] == "qpsk" and Recording(path).n_samples == 4000
    out = tmp_path / "out.npz"
    assert doamc("estimate", path, "-o", out, "--array", "ula8", "--method", "ml", "--sources", 1,
                 "--batches", 20, "--snapshots", 200)[0] == 0  # fmt: skip
    z = _load(out)
    assert abs(z["doa_deg"] - truth["azimuth_deg"]).max() < 0.5
    assert np.median(z["power_db"]) == pytest.approx(truth["power_db"][0], abs=0.3)
    assert np.median(z["noise_power"]) == pytest.approx(truth["noise_power"], rel=0.1)
    c = np.array(truth["coupling_re"]) + 1j * np.array(truth["coupling_im"])
    assert np.linalg.norm(np.median(z["coupling"].real, 0) + 1j * np.median(z["coupling"].imag, 0) - c) < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--waveform", "sawtooth"], "waveform must be one of"),
        (["--sources", "4"], "1..3"),
        (["--sources", "9"], "1..3"),
        (["-o", "no/such/out.npz"], "there is no folder"),
    ],
)
def test_bad_options_are_refused(refused, tmp_path, options, message):
    assert message in refused("simulate", "ula4", "-o", tmp_path / "o.npz", *options)
    assert list(tmp_path.iterdir()) == []


def test_bad_data_type_is_refused(refused, tmp_path):
    line = refused("simulate", "ula4", "-o", tmp_path / "o.sigmf-meta", "--datatype", "cf64_le")
    assert "cf32_le, ci16_le, ci8" in line and list(tmp_path.iterdir()) == []


def test_many_files_have_scenes_of_their_own_and_are_made_once(doamc, tmp_path):
    words = ("simulate", "ula4", "--batches", 2, "--snapshots", 8, "--workers", 0)
    status, text, err = doamc(*words, "-o", tmp_path / "a", "--files", 3)
    assert (status, err) == (0, "") and "3 of 3 files of 2 scenes, ula4" in text
    first = {p.name: _load(p)["snapshots"] for p in sorted((tmp_path / "a").glob("*.npz"))}
    assert list(first) == ["00000.npz", "00001.npz", "00002.npz"]
    assert abs(first["00000.npz"] - first["00001.npz"]).max() > 0.1
    before = (tmp_path / "a" / "00001.npz").stat().st_mtime_ns
    (tmp_path / "a" / "00002.npz").unlink()
    assert doamc(*words, "-o", tmp_path / "a", "--files", 3)[0] == 0
    assert (tmp_path / "a" / "00001.npz").stat().st_mtime_ns == before
    np.testing.assert_array_equal(_load(tmp_path / "a" / "00002.npz")["snapshots"], first["00002.npz"])


def test_what_many_files_cannot_be_is_refused_and_what_fails_is_set_aside(doamc, refused, tmp_path):
    words = ("simulate", "ula4", "-o", tmp_path / "a", "--files", 2, "--workers", 0)
    assert "number of sources must lie in 1..3" in refused(*words, "--sources", 9)
    assert "expected --files K" in refused("simulate", "ula4", "-o", tmp_path / "a.npz", "--workers", 2)
    assert not (tmp_path / "a").exists()
    assert "without --band" in refused(*words, "--band", tmp_path)
    (tmp_path / "a" / "00001.npz").mkdir(parents=True)
    status, text, err = doamc(*words)
    assert status == 1 and "1 of 2 files" in text and "set aside: 00001.npz: " in err


def test_a_folder_of_files_holds_one_run_and_nothing_of_others(doamc, refused, tmp_path):
    words = ("simulate", "ula4", "--batches", 2, "--snapshots", 8, "--workers", 0, "-o", tmp_path / "a", "--files")
    assert doamc(*words, 2)[0] == 0
    assert "name another folder, or the same options" in refused(*words, 2, "--snr-db", 3)
    assert doamc(*words, 3)[0] == 0 and (tmp_path / "a" / "00002.npz").is_file()
    (tmp_path / "a" / "manifest.jsonl").unlink()
    assert "found 00000.npz of something else" in refused(*words, 2)


def test_a_recording_of_an_array_with_elevations_tells_them(doamc, tmp_path):
    """The same scene as in an .npz of the seed, and its truth is read back."""
    path, table = tmp_path / "x.sigmf-meta", tmp_path / "x.npz"
    for out in (path, table):
        assert doamc("simulate", "dome8", "-o", out, "--batches", 1, "--snapshots", 64, "--seed", 3)[0] == 0
    drawn, truth = np.load(table), read_truth(path)
    np.testing.assert_allclose(truth.azimuth_deg(0.0), drawn["doa_deg_true"][0])
    np.testing.assert_allclose(truth.elevation_deg(0.0), drawn["elevation_deg_true"][0])
