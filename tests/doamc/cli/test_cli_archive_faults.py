"""Archives on disks that are full, of inputs with odd names, that change or go, and folders that somebody touched."""

import os
import resource
import signal
from contextlib import contextmanager

import numpy as np
import pyarrow.parquet as pq
import pytest

from doamc.cluster.manifest import Manifest
from doamc.snapshots.npz import write_snapshots
from tests.doamc.store import tree

OPTIONS = ("--array", "ula4", "--method", "music", "--sources", 1, "--workers", 0)


def write(path, batches=2):
    rng = np.random.default_rng(batches)
    y = rng.standard_normal((batches, 4, 16)) + 1j * rng.standard_normal((batches, 4, 16))
    write_snapshots(path, snapshots=y.astype(np.complex64))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.npz", 300)
    write(tmp_path / "in" / "b.npz")
    return tmp_path / "in"


@contextmanager
def files_of_at_most(size):
    """As on a disk that is full: writing more fails."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def results(folder):
    return {name: data for name, data in tree(folder).items() if name.endswith((".parquet", ".npz"))}


@pytest.mark.parametrize("size", [100, 2_000, 20_000, 60_000])
def test_a_full_disk_leaves_nothing_half_written_and_the_run_goes_on(doamc, folder, tmp_path, size):
    doamc("estimate", folder, "-o", tmp_path / "whole", *OPTIONS)
    with files_of_at_most(size):
        status, _, err = doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)
    assert status != 0 and "cannot write" in err
    for name, data in results(tmp_path / "out").items():
        assert data == results(tmp_path / "whole")[name]
    assert not [
        name for name in tree(tmp_path / "out") if name.endswith(".part") and "/." in name.replace(".parts/", "")
    ]
    assert doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)[0] == 0
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def test_simulated_files_are_whole_or_not_there_on_a_full_disk(doamc, tmp_path):
    words = ("simulate", "ula4", "-o", tmp_path / "out", "--files", 2, "--batches", 20, "--workers", 0)
    with files_of_at_most(20_000):
        status, text, err = doamc(*words)
    assert status == 1 and "0 of 2 files" in text and err.count("set aside: ") == 2 and "cannot write" in err
    assert list(tree(tmp_path / "out")) == ["manifest.jsonl"]
    status, text, err = doamc(*words)
    assert (status, err) == (0, "") and "2 of 2 files" in text


def test_names_are_taken_as_they_are(doamc, tmp_path):
    names = [
        "a b.npz", "ü ☃.npz", "new\nline.npz", "-o.npz", "%41.npz", "[a].npz", "q'\".npz", "*.npz",
        os.fsdecode(b"\xff\xfe.npz"), "n" * 226 + ".npz", "n" * 225 + "m.npz",
    ]  # fmt: skip
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "one.npz")
    data = (tmp_path / "in" / "one.npz").read_bytes()
    for name in names:
        (tmp_path / "in" / name).write_bytes(data)
    for _ in range(2):
        status, text, err = doamc("estimate", tmp_path / "in", "-o", tmp_path / "out", *OPTIONS)
        assert (status, err) == (0, "") and "12 of 12 inputs" in text
    found = set(results(tmp_path / "out"))
    assert len(found) == 12 and {f"{name}.parquet" for name in names if len(name) < 100} <= found


def test_a_word_that_stands_for_nothing_makes_no_folder(refused, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for word in (tmp_path / "empty", folder / "*.none", tmp_path / "none", tmp_path / "none.sigmf" / "x"):
        assert "found none" in refused("estimate", word, "-o", tmp_path / "out", "--include", "*", *OPTIONS)
    assert not (tmp_path / "out").exists()


def test_results_do_not_go_where_no_folder_can_be(refused, folder, tmp_path):
    for out in (folder / "a.npz", folder / "a.npz" / "x", "/proc/x"):
        assert "cannot write" in refused("estimate", folder, "-o", out, *OPTIONS)
    (tmp_path / "out" / "manifest.jsonl").mkdir(parents=True)
    assert "cannot write" in refused("estimate", folder, "-o", tmp_path / "out", *OPTIONS)


def test_one_run_has_a_folder_to_itself_and_one_of_another_version_is_refused(refused, folder, tmp_path):
    settings = {"version": "0.0.1"}
    with Manifest(tmp_path / "out", settings):
        assert "somebody else is writing it" in refused("estimate", folder, "-o", tmp_path / "out", *OPTIONS)
    assert "version '0.0.1'" in refused("estimate", folder, "-o", tmp_path / "out", *OPTIONS)


def test_parts_that_were_damaged_are_made_again(doamc, folder, tmp_path, monkeypatch):
    doamc("estimate", folder, "-o", tmp_path / "whole", *OPTIONS)
    add, count = Manifest.add_part, []

    def ended(self, *arguments):
        if count:
            raise KeyboardInterrupt
        count.append(add(self, *arguments))

    monkeypatch.setattr(Manifest, "add_part", ended)
    assert doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)[0] == 130
    monkeypatch.undo()
    (part,) = (tmp_path / "out" / ".parts").rglob("*.part")
    part.write_bytes(b"rubbish")
    status, _, err = doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)
    assert status == 1 and "the same command does it again" in err
    assert doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)[0] == 0
    assert results(tmp_path / "out") == results(tmp_path / "whole") and not (tmp_path / "out" / ".parts").exists()


def test_an_input_that_goes_or_changes_while_it_is_worked_on_is_set_aside(doamc, folder, tmp_path, monkeypatch):
    from doamc.cli import archive_work

    chunks = archive_work.chunks
    for harm, why in (
        (lambda: (folder / "b.npz").unlink(missing_ok=True), "found none"),
        (lambda: write(folder / "b.npz", 4), "changed since"),
    ):
        write(folder / "b.npz", 3)
        monkeypatch.setattr(archive_work, "chunks", lambda task, harm=harm: (harm(), chunks(task))[1])
        status, text, err = doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)
        assert status == 1 and "1 of 2 inputs" in text and "b.npz" in err and why in err
    monkeypatch.undo()
    for batches in (4, 5):  # as it is now, and as it is then
        write(folder / "b.npz", batches)
        assert doamc("estimate", folder, "-o", tmp_path / "out", *OPTIONS)[0] == 0
        assert pq.read_table(tmp_path / "out" / "b.npz.parquet").num_rows == batches
