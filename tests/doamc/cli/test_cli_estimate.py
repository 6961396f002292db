"""``doamc estimate``: the output of the interface, chunks, unknown numbers of sources, bad input."""

import math
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from doamc.cli import chunks
from doamc.estimators import make_estimator
from doamc.scenes import Scene, receive
from doamc.snapshots import make_batch
from doamc.spec import SHIPPED, load_spec, shipped_arrays

KEYS = {
    "doa_deg", "doa_std_deg", "power_db", "coupling", "noise_power", "n_sources", "fit_misfit", "fit_probability",
    "fit_doubtful", "fit_cause",
}  # fmt: skip


def _scene(array, azimuth_deg, noise_power=0.01, coupled=False):
    spec = load_spec(array)
    azimuth = torch.tensor(azimuth_deg).double().deg2rad()
    theta = torch.zeros(len(azimuth), 2 * spec.family.n_coefficients).double()
    if coupled:
        theta = spec.family.draw((len(azimuth),), torch.Generator().manual_seed(7))
    return Scene(spec, azimuth, torch.ones_like(azimuth), theta, torch.full((len(azimuth),), noise_power).double())


def _snapshots(array, azimuth_deg, length=100, seed=1, **options):
    scene = _scene(array, azimuth_deg, **options)
    return receive(scene, length, generator=torch.Generator().manual_seed(seed)).snapshots.numpy()


@pytest.fixture
def two(tmp_path):
    """Forty batches of two uncoupled sources at -20 and 30 degrees, 20 dB."""
    path = tmp_path / "in.npz"
    np.savez(path, snapshots=_snapshots("ula8", [[-20.0, 30.0]] * 40).astype(np.complex64))
    return path


def _load(path):
    with np.load(path, allow_pickle=False) as z:
        return dict(z)


def test_output_has_the_shapes_and_values_of_the_interface(doamc, tmp_path, two):
    out = tmp_path / "out.npz"
    status, text, err = doamc("estimate", two, "-o", out, "--array", "ula8", "--method", "music", "--sources", 2)
    assert (status, err) == (0, "") and "40 batches" in text
    z = _load(out)
    assert set(z) == KEYS
    assert z["doa_deg"].shape == z["doa_std_deg"].shape == z["power_db"].shape == (40, 2)
    assert z["coupling"].shape == (40, 8, 8) and np.iscomplexobj(z["coupling"])
    assert z["noise_power"].shape == z["n_sources"].shape == (40,) and (z["n_sources"] == 2).all()
    assert (np.diff(z["doa_deg"]) > 0).all()
    # the uncoupled two-source bound here is 0.06 deg; 5 sigma of the mean of 40 batches
    assert abs(z["doa_deg"].mean(0) - [-20, 30]).max() < 0.05 and abs(z["doa_deg"] - [-20, 30]).max() < 0.4
    assert abs(z["power_db"].mean()) < 0.3 and abs(10 * np.log10(z["noise_power"].mean() / 0.01)) < 0.3
    direct = make_estimator("music", "ula8")(make_batch(torch.from_numpy(np.load(two)["snapshots"])), 2)
    np.testing.assert_allclose(z["doa_deg"], np.degrees(direct.azimuth.numpy()), atol=1e-9)


def test_the_last_line_tells_what_is_beyond_the_specification(doamc, tmp_path):
    path, out = tmp_path / "in.npz", tmp_path / "out.npz"
    azimuth = [[20.0], [75.0], [75.0]]
    np.savez(path, snapshots=_snapshots("ula8", azimuth, 200, coupled=True))
    chosen = "--array", "ula8", "--sources", 1
    text = doamc("estimate", path, "-o", out, *chosen)[1]
    assert text.strip().endswith("; wide prior: 2 batches do not fit that of the array (outside the sector 2)")
    z = _load(out)
    assert z["fit_prior"].tolist() == ["narrow", "wide", "wide"] and not z["fit_doubtful"].any()
    assert abs(z["doa_deg"][:, 0] - [20, 75, 75]).max() < 1
    text = doamc("estimate", path, "-o", out, *chosen, "--method", "posterior:prior=narrow")[1]
    assert text.strip().endswith("; doubtful: 2 batches do not fit the model (outside the sector 2)")
    assert "fit_prior" not in _load(out) and (_load(out)["doa_deg"][1:] < 61).all()


@pytest.mark.parametrize("method", ["ml", "map", "posterior", "posterior:noise=equal"])
def test_the_last_line_tells_what_takes_a_cause_into_account(doamc, tmp_path, method):
    """A method without an answer to a cause that it names says which one has."""
    y = _snapshots("ula8", [[-20.0], [20.0]], 200, coupled=True)
    y[:, 3] = 0.3 * np.random.default_rng(0).standard_normal((2, 200))  # an antenna that hears nothing of it
    np.savez(tmp_path / "in.npz", snapshots=y)
    text = doamc("estimate", tmp_path / "in.npz", "-o", tmp_path / "out.npz", "--array", "ula8", "--sources", 1,
                 "--method", method)[1].strip()  # fmt: skip
    doubted = "; doubtful: 2 batches do not fit the model (channel 3 off 2)"
    if method == "posterior":
        assert text.endswith("; remedied: 2 batches fit with their cause taken into account (channel 3 off 2)")
    elif method.startswith("posterior"):
        assert text.endswith(doubted)  # who says so has been told
    else:
        assert text.endswith(f"{doubted}; --method posterior takes into account: channel 3 off")


def test_bearings_are_written_where_the_heading_is_known(doamc, tmp_path, two):
    """By the option, which goes before the mount of the specification; the high azimuth is the low bearing."""
    roof, out = tmp_path / "roof.toml", tmp_path / "out.npz"
    roof.write_text((SHIPPED / "ula8.toml").read_text() + "\n[mount]\noffset_deg = 100.0\n")
    for options, heading in ((("--heading", "350"), 350.0), ((), 100.0)):
        chosen = "--array", roof, "--method", "posterior", "--sources", 2, "--batches", 2, *options
        assert doamc("estimate", two, "-o", out, *chosen)[0] == 0
        z = _load(out)
        assert z["heading_deg"] == heading
        np.testing.assert_allclose(z["bearing_deg"], (heading - z["doa_deg"]) % 360)
        away = np.abs(z["doa_interval_deg"] - z["doa_deg"][..., None])[..., ::-1]
        np.testing.assert_allclose(np.abs(z["bearing_interval_deg"] - z["bearing_deg"][..., None]), away, atol=1e-9)


@pytest.mark.parametrize("sources", ["2", "auto"])
def test_results_do_not_depend_on_chunks(doamc, tmp_path, two, monkeypatch, sources):
    results = []
    for size in (256, 7, 1):
        monkeypatch.setattr(chunks, "CHUNK_BATCHES", size)
        out = tmp_path / f"{size}.npz"
        assert doamc("estimate", two, "-o", out, "--array", "ula8", "--method", "music", "--sources", sources)[0] == 0
        results.append(_load(out))
    for other in results[1:]:
        assert (other["fit_cause"] == results[0]["fit_cause"]).all()
        for key in KEYS - {"fit_cause"}:
            np.testing.assert_allclose(other[key], results[0][key], rtol=1e-7, atol=1e-7)


def test_number_of_sources_is_found_batch_by_batch(doamc, tmp_path):
    y = np.concatenate([
        _snapshots("ula8", [[-20.0, 30.0]] * 2), _snapshots("ula8", [[5.0]] * 2),
        _snapshots("ula8", [[-40.0, 0.0, 40.0]]), 0.1 * _snapshots("ula8", [[0.0]], noise_power=1e6),
        _snapshots("ula8", [[10.0]]),
    ])  # fmt: skip
    np.savez(tmp_path / "in.npz", snapshots=y)
    out = tmp_path / "out.npz"
    assert doamc("estimate", tmp_path / "in.npz", "-o", out, "--array", "ula8", "--method", "music")[0] == 0
    z = _load(out)
    assert z["n_sources"].tolist() == [2, 2, 1, 1, 3, 0, 1]
    assert np.isfinite(z["doa_deg"]).sum(1).tolist() == [2, 2, 1, 1, 3, 0, 1]
    expected = [[-20, 30], [-20, 30], [5], [5], [-40, 0, 40], [], [10]]
    for got, want in zip(z["doa_deg"], expected, strict=True):
        np.testing.assert_allclose(got[: len(want)], want, atol=0.5)
        assert np.isnan(got[len(want) :]).all()
    assert np.isnan(z["coupling"][5]).all() and np.isfinite(z["coupling"][:5]).all()
    assert z["noise_power"][5] == pytest.approx((abs(y[5]) ** 2).mean())  # nothing but noise


def test_known_noise_power_comes_from_the_file_or_the_option(doamc, tmp_path, two):
    y = np.load(two)["snapshots"]
    np.savez(tmp_path / "known.npz", snapshots=y, noise_power=np.full(40, 0.02))
    common = ("--array", "ula8", "--method", "music", "--sources", "2", "-o", tmp_path / "out.npz")
    assert doamc("estimate", tmp_path / "known.npz", *common)[0] == 0
    assert (_load(tmp_path / "out.npz")["noise_power"] == 0.02).all()
    assert doamc("estimate", tmp_path / "known.npz", *common, "--noise-power", "0.03")[0] == 0
    assert (_load(tmp_path / "out.npz")["noise_power"] == 0.03).all()


def test_batches_and_snapshots_cut_an_npz(doamc, tmp_path, two):
    y = np.load(two)["snapshots"]
    np.savez(tmp_path / "less.npz", snapshots=y[:3, :, :50])
    common = ("--array", "ula8", "--method", "music", "--sources", "2", "-o")
    assert doamc("estimate", two, *common, tmp_path / "a.npz", "--batches", 3, "--snapshots", 50)[0] == 0
    assert doamc("estimate", tmp_path / "less.npz", *common, tmp_path / "b.npz")[0] == 0
    np.testing.assert_array_equal(_load(tmp_path / "a.npz")["doa_deg"], _load(tmp_path / "b.npz")["doa_deg"])


def test_recording_is_cut_into_blocks(doamc, tmp_path, request):
    path = request.config.rootpath / "flowgraphs" / "recordings" / "kraken5_mixed_2.sigmf-meta"
    out = tmp_path / "out.npz"
    status, _, err = doamc("estimate", path, "-o", out, "--array", "uca5", "--sources", 2, "--method", "music",
                           "--snapshots", 256, "--batches", 40)  # fmt: skip
    assert (status, err) == (0, "")
    z = _load(out)
    assert z["doa_deg"].shape == (40, 2)
    # MUSIC is blind to coupling: degrees off, but in the right places (truth 48.2 and 231.5)
    assert abs(np.median(z["doa_deg"] % 360, 0) - [48.2, 231.5]).max() < 15


# bad input: one line, exit status 2, no output


def _bad(y, where, value):
    y = y.copy()
    y[where] = value
    return y


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[:, :5], "expected 8 channels for array ula8, found 5"),
        (lambda y: _bad(y, (33, 2, 7), np.nan), "NaN or infinite samples (first in batch 33)"),
        (lambda y: _bad(y, (34, 0, 0), np.inf), "NaN or infinite samples (first in batch 34)"),
        (lambda y: y * 0, "all samples are zero in batch 0"),
        (lambda y: _bad(y, (35, 3), 0), "channel 3 is dead (all zeros) in batch 35"),
        (lambda y: y[:, :, :0], "expected B, N and L of at least 1"),
        (lambda y: y.real, "expected complex snapshots"),
    ],
    ids=["channels", "NaN", "Inf", "zero", "dead", "L < 1", "real"],
)
def test_bad_snapshots_are_refused_and_nothing_is_written(refused, tmp_path, two, monkeypatch, change, message):
    monkeypatch.setattr(chunks, "CHUNK_BATCHES", 16)  # the fault is in a later chunk
    np.savez(tmp_path / "bad.npz", snapshots=change(np.load(two)["snapshots"]))
    out = tmp_path / "out.npz"
    out.write_bytes(b"what was here before")
    line = refused("estimate", tmp_path / "bad.npz", "-o", out, "--array", "ula8", "--sources", 2, "--method", "music")
    assert message in line
    assert out.read_bytes() == b"what was here before"
    assert sorted(os.listdir(tmp_path)) == ["bad.npz", "in.npz", "out.npz"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sources", "8"], "number of sources must lie in 1..7 for array ula8, found 8"),
        (["--method", "magic"], "method must be one of"),
        (["--array", "ula9"], f"array must be one of {', '.join(shipped_arrays())} or a TOML file"),
        (["--device", "abacus"], "expected a torch device"),
        (["--snapshots", "101"], "expected at least 101 snapshots a batch, found 100"),
        (["--batches", "41"], "expected at least 41 batches, found 40"),
        (["-o", "no/such/folder/out.npz"], "there is no folder"),
    ],
)
def test_bad_options_are_refused_before_the_work(refused, tmp_path, two, options, message):
    out = tmp_path / "out.npz"
    common = ["--array", "ula8", "--method", "music", "--sources", "2", "-o", out]
    assert message in refused("estimate", two, *common, *options)
    assert os.listdir(tmp_path) == ["in.npz"]


def test_bad_files_are_refused(refused, tmp_path, request):
    common = ("--array", "uca5", "--method", "music", "-o", tmp_path / "out.npz")
    assert "found none at" in refused("estimate", tmp_path / "no.npz", *common)
    (tmp_path / "text.npz").write_text("hello")
    assert "expected an .npz file" in refused("estimate", tmp_path / "text.npz", *common)
    source = request.config.rootpath / "flowgraphs" / "recordings" / "kraken5_mixed_2.sigmf-meta"
    meta = tmp_path / "cut.sigmf-meta"
    meta.write_bytes(source.read_bytes())
    data = source.with_suffix(".sigmf-data").read_bytes()
    meta.with_suffix(".sigmf-data").write_bytes(data[:-3])
    assert "truncated" in refused("estimate", meta, *common)
    meta.with_suffix(".sigmf-data").write_bytes(data[:10_000])  # whole samples, but too few
    line = refused("estimate", meta, *common, "--batches", 40, "--snapshots", 256)
    assert "expected at least 40 x 256 samples, found 1000" in line
    line = refused("estimate", source, "--array", "ula8", "-o", tmp_path / "out.npz")
    assert "expected 8 channels for this array, found 5" in line
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_output_of_an_ended_run_does_not_appear(program, tmp_path, signal_):
    y = _snapshots("ula8", [[-20.0, 30.0]] * 500, length=64, coupled=True)
    np.savez(tmp_path / "in.npz", snapshots=np.tile(y, (40, 1, 1)))  # some minutes of work
    process = program("estimate", tmp_path / "in.npz", "-o", tmp_path / "out.npz", "--array", "ula8",
                      "--method", "ml", "--sources", 2)  # fmt: skip
    files = Path(f"/proc/{process.pid}/fd")
    while not any(os.path.realpath(f).endswith("in.npz") for f in files.iterdir()):  # until the work has begun
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal_)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal_ and "Traceback" not in err
    assert os.listdir(tmp_path) == ["in.npz"]


def test_seeded_results_repeat(doamc, tmp_path, two):
    for name in ("a", "b"):
        assert doamc("estimate", two, "-o", tmp_path / f"{name}.npz", "--array", "ula8", "--method", "ml",
                     "--sources", 2, "--seed", 5, "--batches", 5)[0] == 0  # fmt: skip
    a, b = _load(tmp_path / "a.npz"), _load(tmp_path / "b.npz")
    for key in KEYS:
        np.testing.assert_array_equal(a[key], b[key])
    assert math.isfinite(a["doa_std_deg"].sum())
