"""``doamc plot``: figures from logs, in formats for print, or one line that says why not."""

import re

import pytest

from doamc.learning.training_log import TrainingLog
from tests.doamc.figures.runs import truth_message, write_log


@pytest.mark.parametrize(("name", "magic"), [("x.pdf", b"%PDF-1.4"), ("x.svg", b"<?xml"), ("x.png", b"\x89PNG")])
def test_formats(doamc, tmp_path, name, magic):
    log = write_log(tmp_path / "x.jsonl")
    kind = "all" if name == "x.svg" else "errors"  # the page takes seconds
    assert doamc("plot", log, "-o", tmp_path / name, "--figure", kind) == (0, "", "")
    drawn = (tmp_path / name).read_bytes()
    assert drawn.startswith(magic)
    if name == "x.pdf":
        assert b"/FontFile2" in drawn and b"/Type3" not in drawn  # TrueType, as publishers ask for
    if name == "x.svg":
        words = set(re.findall(r">([^<>]+)</text>", drawn.decode()))
        assert {"time (s)", "azimuth from +x (deg)", "|C| (dB)", "latency (ms)", "share of estimates", "truth"} <= words


def test_one_kind_and_a_truth_from_a_file(doamc, tmp_path):
    log = write_log(tmp_path / "x.jsonl", truth=False)
    table = tmp_path / "truth.csv"
    rows = [truth_message(float(k)) for k in range(10)]
    lines = [f"{m['sample_time']},{m['azimuth_deg'][0]},{m['azimuth_deg'][1]}" for m in rows]
    table.write_text("\n".join(["sample_time,azimuth_deg_1,azimuth_deg_2", *lines, ""]))
    out = tmp_path / "x.svg"
    assert doamc("plot", log, "--truth", table, "--figure", "errors", "-o", out)[0] == 0
    text = out.read_text()
    assert "source 1: RMS 0.1°, 1.00 within 1 sd" in text and "latency" not in text


def test_trainings(doamc, tmp_path):
    with TrainingLog(tmp_path / "n.log.jsonl", "batch", "ula8", False) as log:
        for step in range(0, 100, 10):
            log.write(step, 0.1 * step, 2.0 - 0.01 * step, 1e-3, {"validation_db": -0.1 * step})
    out = tmp_path / "x.svg"
    assert doamc("plot", tmp_path / "n.log.jsonl", "-o", out) == (0, "", "")
    assert "batch net for ula8, 9 min" in out.read_text() and "excess error, net (dB)" in out.read_text()


def test_refusals_leave_nothing(refused, tmp_path):
    log, out = write_log(tmp_path / "x.jsonl", truth=False), tmp_path / "x.pdf"
    assert "add --truth FILE" in refused("plot", log, "--figure", "errors", "-o", out)
    assert "expected a file that ends in" in refused("plot", log, "-o", tmp_path / "x.jpg")
    assert "there is no folder" in refused("plot", log, "-o", tmp_path / "no" / "x.pdf")
    assert "cannot read" in refused("plot", tmp_path / "absent.jsonl", "-o", out)
    assert "expected a log of doamc train" in refused("plot", log, "--figure", "training", "-o", out)
    with TrainingLog(tmp_path / "n.jsonl", "batch", "ula8", False) as training:
        training.write(1, 0.1, 1.0, 1e-3, {})
    assert "expected estimates" in refused("plot", tmp_path / "n.jsonl", "--figure", "tracks", "-o", out)
    (tmp_path / "bad.csv").write_text("sample_time,azimuth_deg\n0,north\n")
    assert "expected directions in degrees" in refused("plot", log, "--truth", tmp_path / "bad.csv", "-o", out)
    assert not out.exists() and not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
