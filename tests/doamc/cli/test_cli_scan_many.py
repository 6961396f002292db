"""``doamc scan`` of many captures: each as by itself, wherever it runs, however often it was ended."""

import json

import pyarrow.parquet as pq
import pytest

from doamc.cluster.manifest import Manifest
from doamc.estimates import read_records, validate
from doamc.estimates.parquet_table import read_provenance
from tests.doamc.cli.test_cli_scan import SCENE
from tests.doamc.store import tree

#: quick
METHOD = ("--array", "ula4", "--method", "music", "--sources", 1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Two captures: one with a second one in a folder, of 1.5 s."""
    from doamc.cli import main

    root = tmp_path_factory.mktemp("bands")
    (root / "in" / "sub").mkdir(parents=True)
    for name, duration, seed in (("a", 0.5, 4), ("sub/b", 1.5, 5)):
        scene = root / f"{seed}.toml"
        scene.write_text(
            SCENE.replace("duration_s = 0.5", f"duration_s = {duration}").replace("seed = 4", f"seed = {seed}")
        )
        out = root / "in" / f"{name}.sigmf-meta"
        assert main(["simulate", "ula4", "--band", str(scene), "-o", str(out), "--datatype", "ci16_le"]) == 0
    return root / "in"


def lines(folder):
    return {name: data for name, data in tree(folder).items() if name.endswith(".jsonl") and "manifest" not in name}


def known(value):
    """A value without what is null in it."""
    if isinstance(value, dict):
        return {k: known(v) for k, v in value.items() if v is not None}
    return [known(v) for v in value] if isinstance(value, list) else value


def test_each_capture_is_scanned_as_by_itself(doamc, archive, tmp_path):
    """Draws as well: the method of the test is the default one."""
    one = ("--array", "ula4")
    status, text, err = doamc("scan", archive, "-o", tmp_path / "many", *one, "--format", "jsonl", "--workers", 0)
    assert (status, err) == (0, "") and "2 of 2 inputs, 3 s, ula4, posterior" in text
    for name in ("a", "sub/b"):
        doamc("scan", archive / f"{name}.sigmf-meta", "-o", tmp_path / "one.jsonl", *one)
        alone = (tmp_path / "one.jsonl").read_bytes()
        assert alone == (tmp_path / "many" / f"{name}.sigmf-meta.jsonl").read_bytes()
        assert len(alone.splitlines()) == 2


def test_a_table_holds_what_the_lines_hold_and_how_it_was_made(doamc, archive, tmp_path):
    for form in ("parquet", "jsonl"):
        doamc("scan", archive, "-o", tmp_path / form, *METHOD, "--format", form, "--workers", 0, "--heading", 20)
    path = tmp_path / "parquet" / "sub" / "b.sigmf-meta.parquet"
    rows = pq.read_table(path).to_pylist()
    messages = list(read_records(tmp_path / "jsonl" / "sub" / "b.sigmf-meta.jsonl"))
    for row, message in zip(rows, messages, strict=True):
        assert row.pop("section") == 0
        assert known(row) == known({k: v for k, v in message.items() if k not in ("schema", "version")})
    made = read_provenance(path)
    assert made["settings"]["method"] == "music" and made["settings"]["threshold"] == 0.0
    assert made["array"]["name"] == "ula4" and made["input"]["digest"] and made["input"]["samples"] == 360_000


def test_sections_are_scanned_by_themselves(doamc, archive, tmp_path):
    words = ("scan", archive / "sub" / "b.sigmf-meta", *METHOD, "--section", 1, "--workers", 0)
    assert (
        doamc(*words, "-o", tmp_path / "p")[0] == 0 and doamc(*words, "-o", tmp_path / "j", "--format", "jsonl")[0] == 0
    )
    rows = pq.read_table(tmp_path / "p" / "b.sigmf-meta.parquet").to_pylist()
    lasting = [r for r in rows if abs(r["frequency_hz"] - 300.03e6) < 1e3]
    assert [(r["section"], r["start_s"], r["stop_s"]) for r in lasting] == [(0, 0.0, 1.0), (1, 1.0, 1.5)]
    for message in read_records(tmp_path / "j" / "b.sigmf-meta.jsonl"):
        validate(message)


def test_a_scan_that_was_ended_goes_on_with_the_same_bits(doamc, archive, tmp_path, monkeypatch):
    words = ("scan", archive, *METHOD, "--section", 1, "--format", "jsonl", "--workers", 0)
    assert doamc(*words, "-o", tmp_path / "whole")[0] == 0
    add, count = Manifest.add_part, []

    def ended(self, *arguments):
        if len(count) == 1:
            raise KeyboardInterrupt
        count.append(arguments[:2])
        add(self, *arguments)

    monkeypatch.setattr(Manifest, "add_part", ended)
    assert doamc(*words, "-o", tmp_path / "out")[0] == 130
    monkeypatch.setattr(Manifest, "add_part", lambda self, *a: (count.append(a[:2]), add(self, *a)))
    assert doamc(*words, "-o", tmp_path / "out")[0] == 0
    assert lines(tmp_path / "out") == lines(tmp_path / "whole") and len(lines(tmp_path / "out")) == 2
    assert sorted(count) == [("a.sigmf-meta", 0), *(("sub/b.sigmf-meta", k) for k in range(2))]


@pytest.mark.slow
def test_two_workers_give_the_same_bits(doamc, archive, tmp_path):
    words = ("scan", archive, "--array", "ula4", "--section", 1)
    doamc(*words, "-o", tmp_path / "one", "--workers", 0)
    status, _, err = doamc(*words, "-o", tmp_path / "two", "--workers", 2)
    assert (status, err) == (0, "")
    tables = [{n: d for n, d in tree(tmp_path / k).items() if n.endswith(".parquet")} for k in ("one", "two")]
    assert tables[0] == tables[1] and len(tables[0]) == 2


def test_what_cannot_be_scanned_is_set_aside(doamc, archive, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.npz").write_bytes(b"")
    (tmp_path / "in" / "y.cf32").write_bytes(b"\0" * 64_000)
    for path in archive.glob("a.*"):
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    status, text, err = doamc("scan", tmp_path / "in", "-o", tmp_path / "out", *METHOD, "--workers", 0)
    assert status == 1 and "1 of 3 inputs" in text
    assert "x.npz: " in err and "expected a capture" in err
    assert "y.cf32: " in err and "expected a sample rate" in err
    told = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert {t["failed"] for t in told if "failed" in t} == {"x.npz", "y.cf32"}


def test_signals_that_would_not_fit_into_memory_are_refused(doamc, archive, tmp_path, monkeypatch):
    monkeypatch.setattr("doamc.cli.scan_work.MOST_BYTES", 100)
    status, _, err = doamc("scan", archive / "a.sigmf-meta", "-o", tmp_path / "out", *METHOD, "--format", "jsonl",
                           "--workers", 0)  # fmt: skip
    assert status == 1 and "cut it with a shorter --section" in err


def test_options_that_are_for_one_capture_are_refused(refused, archive, tmp_path):
    out = ("-o", tmp_path / "out")
    assert "--annotate" in refused("scan", archive, *out, *METHOD, "--annotate")
    assert "add --array" in refused("scan", archive, *out)
    assert "in any order" in refused("scan", archive, *out, "--array", "ula4", "--method", "self-calibrating")
    assert not (tmp_path / "out").exists()
