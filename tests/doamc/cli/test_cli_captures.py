"""``doamc estimate`` on captures as people have them: retuned, gapped, bare, at a frequency that is not the array's."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from doamc.cli.inputs import DEFAULT_BATCHES, MAX_KEPT, open_input
from doamc.cli.replay import Replay
from doamc.errors import RecordingError, SnapshotError
from doamc.estimators.engine import open_estimator
from doamc.estimators.tuned import TunedEstimator
from doamc.snapshots.raw_files import RawForm
from doamc.spec import load_spec

LIGHT, RADIUS = 299_792_458.0, 0.25
TOML = """
name = "ring"
[geometry]
kind = "uca"
elements = 5
{length}
[sector]
azimuth_deg = [0.0, 360.0]
min_separation_deg = 40.0
[coupling]
family = "circulant"
magnitude = [[0.0, 0.1], [0.0, 0.1]]
"""


def heard(frequency_hz, size=4000, azimuth_deg=40.0):
    """Samples (5, size) of one signal on a circle of a quarter of a metre, 20 dB."""
    rng, place = np.random.default_rng(2), 2 * np.pi * np.arange(5) / 5
    response = np.exp(2j * np.pi * RADIUS * frequency_hz / LIGHT * np.cos(np.radians(azimuth_deg) - place))
    draws = rng.standard_normal((6, size)) + 1j * rng.standard_normal((6, size))
    return (np.outer(response, draws[0]) + 0.1 * draws[1:]).astype("<c8")


@pytest.fixture
def retuned(tmp_path):
    """A recording of 434 MHz that goes on at 868 MHz after 4100 samples and a gap of a second."""
    samples = np.hstack([heard(434e6, 4100), heard(868e6, 3900)])
    (tmp_path / "two.sigmf-data").write_bytes(samples.T.tobytes())
    moments = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06.4100Z")
    captures = [
        {"core:sample_start": start, "core:frequency": frequency, "core:datetime": moment}
        for start, frequency, moment in zip((0, 4100), (434e6, 868e6), moments, strict=True)
    ]
    world = {"core:datatype": "cf32_le", "core:version": "1.2.0", "core:num_channels": 5, "core:sample_rate": 1e4}
    path = tmp_path / "two.sigmf-meta"
    path.write_text(json.dumps({"global": world, "captures": captures, "annotations": []}))
    return path


@pytest.fixture
def metres(tmp_path):
    (tmp_path / "ring.toml").write_text(TOML.format(length=f"radius_m = {RADIUS}"))
    return tmp_path / "ring.toml"


def estimated(doamc, path, array, *more):
    """Azimuths of one source by MUSIC, and what was said on stderr."""
    out = path.with_name("out.npz")
    status, _, err = doamc("estimate", path, "-o", out, "--array", array, "--sources", 1, "--method", "music", *more)
    assert status == 0
    with np.load(out) as z:
        return z["doa_deg"][:, 0], err


def test_batches_of_a_retuned_recording_have_their_frequency_and_time(retuned):
    opened = open_input(str(retuned), load_spec("uca5"), 256, None)
    assert opened.shape == (31, 5, 256)  # 16 + 15: a 32nd would lie across
    assert opened.frequency_hz.tolist() == [434e6] * 16 + [868e6] * 15
    assert opened.start_s[15] == pytest.approx((4100 - 256) / 1e4) and opened.start_s[16] == pytest.approx(1.41)
    assert opened.time[16] - opened.time[0] == pytest.approx(1.41, abs=1e-6)
    assert opened.frequency_of(0) == 434e6 and opened.frequency_of(30) == 868e6
    blocks = np.concatenate(list(opened.blocks(7)))
    assert np.array_equal(blocks[16], np.hstack([heard(868e6, 3900)])[:, :256])


def test_an_array_in_metres_hears_the_same_bearing_at_every_frequency(doamc, retuned, metres):
    azimuth, err = estimated(doamc, retuned, metres)
    assert err == "" and abs(azimuth - 40).max() < 1
    azimuth, err = estimated(doamc, retuned, f"{metres}@434e6")  # fixed: the second half is told to be wrong
    assert abs(azimuth[:16] - 40).max() < 1 and abs(azimuth[16:] - 40).min() > 20
    assert err.count("\n") == 1 and "holds at 434 MHz, found signals at 434 to 868 MHz" in err


def test_an_array_in_wavelengths_tells_that_it_does_not_fit(doamc, retuned, tmp_path):
    _, err = estimated(doamc, retuned, "uca5")
    assert err.startswith("doamc: warning: bearings are wrong: array uca5") and err.count("\n") == 1
    stated = tmp_path / "stated.toml"
    stated.write_text("frequency_hz = 434e6\n" + TOML.format(length=f"radius_wavelengths = {RADIUS * 434e6 / LIGHT}"))
    np.save(tmp_path / "one.npy", heard(434e6))
    azimuth, err = estimated(doamc, tmp_path / "one.npy", stated, "--frequency", 435e6)  # 0.23 % beside it
    assert err == "" and abs(azimuth - 40).max() < 1
    _, err = estimated(doamc, tmp_path / "one.npy", stated, "--frequency", 437e6)
    assert "holds at 434 MHz, found signals at 437 MHz" in err
    assert estimated(doamc, tmp_path / "one.npy", stated)[1] == ""  # nothing tells a frequency


def test_a_replay_tells_the_frequency_of_every_batch(retuned, metres):
    spec = load_spec(metres, tunable=True)
    tuned = TunedEstimator(spec, lambda at: open_estimator("music", at, 1, "cpu", 0))
    kept = []
    replay = Replay(tuned, open_input(str(retuned), spec, 256, None), 1, None, rate=1e6)
    replay.run(SimpleNamespace(estimate=kept.append, status=kept.append))
    assert [m["frequency_hz"] for m in kept] == [434e6] * 16 + [868e6] * 15
    assert all(m["sources"][0]["azimuth_deg"] == pytest.approx(40, abs=1) for m in kept)


def test_bare_samples_are_read_with_what_is_said_of_them(doamc, refused, tmp_path, metres):
    bare = tmp_path / "capture.iq"
    bare.write_bytes(heard(600e6).T.tobytes())
    said = ["--datatype", "cf32_le", "--rate", 1e4, "--channels", 5, "--frequency", 600e6]
    azimuth, err = estimated(doamc, bare, metres, *said)
    assert err == "" and len(azimuth) == 15 and abs(azimuth - 40).max() < 1
    common = ("estimate", bare, "-o", tmp_path / "out.npz", "--method", "music", "--array", metres)
    assert "expected --datatype" in refused(*common)
    assert "found no frequency" in refused(*common, "--datatype", "cf32_le")
    np.savez(tmp_path / "in.npz", snapshots=heard(600e6)[None])
    line = refused(common[0], tmp_path / "in.npz", *common[2:], "--datatype", "ci8", "--sample-rate", 5)
    assert "expected no --datatype, --sample-rate for a file that describes itself" in line
    assert abs(estimated(doamc, tmp_path / "in.npz", metres, "--frequency", 600e6)[0] - 40).max() < 1


def test_batches_shorter_than_usual_are_taken_as_they_were_recorded(retuned):
    table = json.loads(retuned.read_text())
    table["captures"] = [{"core:sample_start": k} for k in range(0, 8000, 200)]
    retuned.write_text(json.dumps(table))
    assert open_input(str(retuned), load_spec("uca5"), None, None).shape == (40, 5, 200)
    with pytest.raises(RecordingError, match="found 8000 in 40 captures, which hold 0 whole ones"):
        open_input(str(retuned), load_spec("uca5"), 256, None)


def test_a_sparse_file_is_cut_without_gigabytes(tmp_path):
    with (tmp_path / "huge.cs8").open("wb") as file:
        file.truncate(40 * 10**9)
    spec, form = load_spec("uca5"), RawForm(sample_rate_hz=1e6)
    opened = open_input(str(tmp_path / "huge.cs8"), spec, None, None, form=form)
    assert opened.shape[0] == DEFAULT_BATCHES and next(opened.blocks(2)).shape == (2, 5, 256)
    for snapshots, batches, every in ((10**8, None, False), (None, None, True), (1, 10**9, True)):
        with pytest.raises(RecordingError, match="expected at most"):
            open_input(str(tmp_path / "huge.cs8"), spec, snapshots, batches, every, form)
    with pytest.raises(SnapshotError, match=f"at most {MAX_KEPT // 25} batches, found 1000000"):
        open_input(str(tmp_path / "huge.cs8"), spec, None, 10**6, form=form)


def test_remarks_are_told_in_one_line_each(doamc, retuned):
    table = json.loads(retuned.read_text())
    table["annotations"] = [{"core:sample_start": 7000, "core:sample_count": 10**6}] * 3
    table["captures"] = table["captures"][:1]
    retuned.write_text(json.dumps(table))
    _, err = estimated(doamc, retuned, "uca5")
    assert err.count("\n") == 1 and "annotations reach beyond the data" in err


def test_an_array_in_metres_is_printed_and_simulated(doamc, refused, tmp_path, metres):
    status, text, _ = doamc("arrays", metres)
    assert status == 0 and "x, y, z in metres" in text and f"{RADIUS:9.4f}" in text
    status, text, _ = doamc("arrays", f"{metres}@{LIGHT * 2}")  # a wavelength of half a metre
    assert status == 0 and "x, y, z in wavelengths" in text and f"{2 * RADIUS:9.4f}" in text
    out = tmp_path / "made.sigmf-meta"
    common = ["--sources", 1, "--snr-db", 30, "--snapshots", 500, "--batches", 1, "--seed", 4]
    assert doamc("simulate", metres, "-o", out, "--frequency", 600e6, *common)[0] == 0
    table = json.loads(out.read_text())
    assert table["captures"][0]["core:frequency"] == 600e6
    azimuth, err = estimated(doamc, out, metres)
    assert err == "" and azimuth == pytest.approx(table["global"]["doamc:azimuth_deg"], abs=2)  # coupled a little
    assert "found no frequency" in refused("compare", metres, "--methods", "music")
