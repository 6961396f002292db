"""``doamc scan`` and ``doamc simulate --band``: from a scene to lines of schema doamc.signal/1, and what is refused."""

import json
import math

import pytest

from doamc.estimates import read_records, validate

SCENE = """
frequency_hz = 300e6
sample_rate_hz = 240e3
duration_s = 0.5
seed = 4

[[emitters]]
kind = "4fsk"
frequency_hz = 300.03e6
bandwidth_hz = 12.5e3
azimuth_deg = -25.0
snr_db = 18.0

[[emitters]]
kind = "nfm"
frequency_hz = 299.95e6
bandwidth_hz = 12.5e3
azimuth_deg = 30.0
snr_db = 15.0
on_s = [[0.1, 0.3]]
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    from doamc.cli import main

    folder = tmp_path_factory.mktemp("band")
    (folder / "scene.toml").write_text(SCENE)
    path = folder / "band.sigmf-meta"
    assert (
        main(["simulate", "ula4", "--band", str(folder / "scene.toml"), "-o", str(path), "--datatype", "ci16_le"]) == 0
    )
    return path


def scanned(doamc, capture, tmp_path, *options):
    out = tmp_path / "out.jsonl"
    status, text, err = doamc("scan", capture, "-o", out, "--array", "ula4", *options)
    assert status == 0, err
    messages = list(read_records(out))
    for m in messages:
        validate(m)
    return messages, text, err


@pytest.mark.parametrize("one", [(), ("--each-alone",)], ids=["one array", "each alone"])
def test_powers_are_of_what_is_incident(doamc, capture, tmp_path, one):
    """A patch hears an emitter at its side by cos az: the same samples are of one that is stronger by as much."""
    (tmp_path / "patch.toml").write_text('name = "ula4p"\nlike = "ula4"\n[element]\npattern = "patch"\n')
    found = [
        {s["frequency_hz"]: s["sources"][0] for s in scanned(doamc, capture, tmp_path, "--array", array, "--sources", 1,
                                                             "--method", "ml", *one)[0]}
        for array in ("ula4", tmp_path / "patch.toml")
    ]  # fmt: skip
    assert len(found[0]) >= 2
    for frequency, source in found[0].items():
        other = found[1][frequency]
        assert other["azimuth_deg"] == pytest.approx(source["azimuth_deg"], abs=0.02)
        more_db = -20 * math.log10(math.cos(math.radians(source["azimuth_deg"])))
        assert other["power_db"] - source["power_db"] == pytest.approx(more_db, abs=0.05)


def test_the_truth_lies_beside_a_simulated_band(capture):
    truth = json.loads(capture.with_suffix(".truth.json").read_text())
    assert [e["azimuth_deg"] for e in truth["emitters"]] == [-25.0, 30.0]


def test_every_signal_is_a_line_with_its_direction(doamc, capture, tmp_path):
    messages, text, err = scanned(doamc, capture, tmp_path)
    assert "2 signals, 2 sources, ula4, posterior" in text and err == ""
    first, second = messages  # in the order of their beginning
    assert abs(first["frequency_hz"] - 300.03e6) < 1e3 and abs(second["frequency_hz"] - 299.95e6) < 1e3
    assert (first["start_s"], first["stop_s"]) == (0.0, 0.5)
    assert abs(second["start_s"] - 0.1) < 0.01 and abs(second["stop_s"] - 0.3) < 0.01
    for m, truth in ((first, -25.0), (second, 30.0)):
        (source,) = m["sources"]
        low, high = source["interval_deg"]
        assert abs(source["azimuth_deg"] - truth) < 3 and low < source["azimuth_deg"] < high
        assert m["calibration"] == {"signals": 2} and m["track"] == source["track"]["id"]


def test_options_reach_what_they_name(doamc, capture, tmp_path):
    messages, text, _ = scanned(
        doamc, capture, tmp_path, "--method", "music", "--sources", 1, "--each-alone", "--heading", 90, "--mask",
        "299.9e6:300e6",
    )  # fmt: skip
    (m,) = messages
    assert m["method"] == "music" and "calibration" not in m and "music" in text
    assert 0 <= m["sources"][0]["bearing_deg"] <= 360
    messages, _, _ = scanned(doamc, capture, tmp_path, "--channel", "299.95e6:12.5e3:3", "--method", "music")
    assert [(m["frequency_hz"], m["bandwidth_hz"]) for m in messages] == [(299.95e6, 12.5e3)]


def test_annotations_go_into_the_recording(doamc, capture, tmp_path):
    scanned(doamc, capture, tmp_path, "--method", "music", "--annotate")
    told = json.loads(capture.read_text())["annotations"]
    ours = [a for a in told if a.get("core:generator") == "doamc"]
    assert len(ours) == 2
    assert ours[0]["core:freq_lower_edge"] < 300.03e6 < ours[0]["core:freq_upper_edge"]
    assert ours[1]["core:sample_start"] > 20_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--channel", "5e6:1e3"], "expected a channel within"),
        (["--channel", "1"], "HZ:WIDTH"),
        (["--mask", "5:3"], "LOW:HIGH"),
        (["--resolution", "1"], "--resolution"),
        (["--slice", "1e-4"], "--slice"),
        (["--array", "ula8"], "--array"),
        (["--method", "none"], "method must be one of"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_in_a_line_and_leave_no_file(refused, capture, tmp_path, options, said):
    out = tmp_path / "out.jsonl"
    array = [] if "--array" in options else ["--array", "ula4"]
    assert said in refused("scan", capture, "-o", out, *array, *options)
    assert not out.exists()


def test_snapshots_are_no_capture(refused, tmp_path):
    (tmp_path / "a.npz").touch()
    line = refused("scan", tmp_path / "a.npz", "-o", tmp_path / "out.jsonl", "--array", "ula4")
    assert "expected a capture, found an .npz file, which has no sample rate; use doamc estimate" in line


def test_a_wrong_scene_is_refused(refused, tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text(SCENE.replace("snr_db", "snr"))
    assert "snr" in refused("simulate", "ula4", "--band", path, "-o", tmp_path / "x.sigmf-meta")
    path.write_text(SCENE)
    assert ".sigmf-meta" in refused("simulate", "ula4", "--band", path, "-o", tmp_path / "x.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["scene.toml"]


def test_a_capture_of_no_known_frequency_has_signals_about_its_middle(doamc, tmp_path):
    """Samples that tell nothing of themselves, shorter than a quarter of a slice at first, then long enough."""
    import numpy as np

    from doamc.bands.simulated.capture import receive_band
    from doamc.bands.simulated.scene import read_band_scene
    from doamc.spec import load_spec

    (tmp_path / "scene.toml").write_text(SCENE)
    y = receive_band(load_spec("ula4"), read_band_scene(tmp_path / "scene.toml"))
    for count, signals in ((1000, 0), (48_000, 2)):
        path = tmp_path / f"{count}.cf32"
        path.write_bytes(np.ascontiguousarray(y[:, :count].T).tobytes())
        messages, _, _ = scanned(doamc, path, tmp_path, "--rate", 240e3, "--method", "music", "--sources", 1)
        assert len(messages) == signals
    assert sorted(round(m["frequency_hz"] / 1e3, -1) for m in messages) == [-50, 30]
