"""What is done of a run, after crashes of every kind."""

import json

import pytest

from doamc.cluster.manifest import Manifest
from doamc.errors import RecordingError, SnapshotError

SETTINGS = {"array": "ula8", "seed": 0}


def begun(folder):
    with Manifest(folder, SETTINGS) as manifest:
        manifest.looked_at("a.npz", "d1", shape=[512, 8, 64])
        manifest.add_part("a.npz", 256, b"second")
        manifest.add_part("a.npz", 0, b"first")


def test_a_run_goes_on_where_it_was(tmp_path):
    begun(tmp_path / "out")
    with Manifest(tmp_path / "out", SETTINGS) as manifest:
        assert manifest.digests == {"a.npz": "d1"} and manifest.parts == {"a.npz": {0, 256}}
        manifest.looked_at("a.npz", "d1")  # again: nothing is forgotten
        assert list(manifest.read_parts("a.npz")) == [(0, b"first"), (256, b"second")]
        manifest.finish("a.npz", "a.npz.parquet")
    with Manifest(tmp_path / "out", SETTINGS) as manifest:
        assert manifest.done == {"a.npz"} and not manifest.parts.get("a.npz")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["manifest.jsonl"]


def test_an_input_that_changed_is_done_anew(tmp_path):
    begun(tmp_path)
    with Manifest(tmp_path, SETTINGS) as manifest:
        manifest.looked_at("a.npz", "d2")
        assert manifest.parts["a.npz"] == set()
        manifest.add_part("a.npz", 0, b"new")
        manifest.finish("a.npz", "x")
        manifest.looked_at("a.npz", "d3")
    with Manifest(tmp_path, SETTINGS) as manifest:
        assert manifest.done == set()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_line_is_done_again(tmp_path, cut):
    begun(tmp_path)
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    with Manifest(tmp_path, SETTINGS) as manifest:
        assert 0 not in manifest.parts["a.npz"]
        manifest.add_part("a.npz", 0, b"again")
    lines = [json.loads(line) for line in path.read_text().splitlines()]  # all whole
    assert lines[-1] == {"part": "a.npz", "first": 0}
    with Manifest(tmp_path, SETTINGS) as manifest:
        assert (0, b"again") in list(manifest.read_parts("a.npz"))


def test_a_folder_holds_one_run(tmp_path):
    begun(tmp_path)
    with pytest.raises(RecordingError, match=r"found that one to have seed 0; name another folder"):
        Manifest(tmp_path, SETTINGS | {"seed": 1})
    with Manifest(tmp_path, SETTINGS), pytest.raises(RecordingError, match="somebody else is writing it"):
        Manifest(tmp_path, SETTINGS)


def test_a_part_that_is_gone_is_made_again(tmp_path):
    begun(tmp_path)
    with Manifest(tmp_path, SETTINGS) as manifest:
        next((tmp_path / ".parts").rglob("256.part")).unlink()
        with pytest.raises(SnapshotError, match=r"cannot read a part of a\.npz"):
            list(manifest.read_parts("a.npz"))
    with Manifest(tmp_path, SETTINGS) as manifest:
        assert manifest.parts["a.npz"] == {0}


def test_parts_that_are_damaged_are_forgotten(tmp_path):
    begun(tmp_path)
    for _ in range(2):
        with Manifest(tmp_path, SETTINGS) as manifest:
            manifest.forget("a.npz")
            assert manifest.parts["a.npz"] == set() and manifest.digests["a.npz"] != "d1"
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.jsonl"]


def test_a_name_may_be_any_that_a_disk_or_an_archive_has(tmp_path):
    for name in ("a b\n\u00e9.npz", "\udcff.npz", "\ud800.npz"):
        with Manifest(tmp_path, SETTINGS) as manifest:
            manifest.looked_at(name, "d1")
            manifest.add_part(name, 0, b"first")
        with Manifest(tmp_path, SETTINGS) as manifest:
            assert list(manifest.read_parts(name)) == [(0, b"first")]


def test_what_is_no_manifest_is_refused(tmp_path):
    begun(tmp_path)
    first = (tmp_path / "manifest.jsonl").read_text().splitlines()[0]
    for text, number in (
        ("[1]\n", 1), ("\0" * 100 + "\n", 1), (first + '\n{"input": 3}\n', 2),
        (first + '\n{"part": 3, "first": []}\n', 2),
    ):  # fmt: skip
        (tmp_path / "manifest.jsonl").write_text(text)
        with pytest.raises(RecordingError, match=f"line {number} damaged"):
            Manifest(tmp_path, SETTINGS)
    (tmp_path / "manifest.jsonl").write_text('{"schema": "other/1"}\n')
    with pytest.raises(RecordingError, match=r"expected a run of schema doamc\.run/1"):
        Manifest(tmp_path, SETTINGS)


def test_what_was_set_aside_is_told_and_tried_again(tmp_path):
    begun(tmp_path)
    with Manifest(tmp_path, SETTINGS) as manifest:
        manifest.set_aside("a.npz", [512], "its worker died")
    with Manifest(tmp_path, SETTINGS) as manifest:
        assert manifest.parts["a.npz"] == {0, 256}
    assert '"reason": "its worker died"' in (tmp_path / "manifest.jsonl").read_text()
