"""The inputs that folders, patterns and URLs stand for."""

import json
import tarfile

import pytest

from doamc.errors import RecordingError
from doamc.snapshots.finding import find_inputs, is_many
from tests.doamc.store import BUCKET, object_store, tree, web_server


@pytest.fixture
def folder(tmp_path):
    """Recordings, a collection of two, an archive of two and one of one, .npz, and what is no input."""
    streams = [{"name": n, "hash": "0"} for n in ("c0", "c1")]
    texts = {"pair.sigmf-collection": json.dumps({"collection": {"core:streams": streams}})}
    names = [
        "a.npz",
        "sub/b.sigmf-meta",
        "sub/b.sigmf-data",
        "c0.sigmf-meta",
        "c1.sigmf-meta",
        "d.cs16",
        "e.txt",
        ".f.npz",
    ]
    root = tmp_path / "in"
    (root / "sub").mkdir(parents=True)
    for name in names:
        (root / name).write_text("")
    for name, text in texts.items():
        (root / name).write_text(text)
    for archive, recordings in (("two.sigmf", ("x", "y")), ("one.sigmf", ("z",))):
        with tarfile.open(root / archive, "w") as tar:
            for name in recordings:
                for end in ("meta", "data"):
                    tar.add(root / "e.txt", f"{name}/{name}.sigmf-{end}")
    return root


ALL = [
    "a.npz", "d.cs16", "one.sigmf", "pair.sigmf-collection", "sub/b.sigmf-meta", "two.sigmf/x/x", "two.sigmf/y/y",
]  # fmt: skip


def names(*arguments):
    return [found.name for found in find_inputs(*arguments)]


def test_a_folder_stands_for_what_is_in_it(folder):
    assert names([str(folder)]) == ALL
    assert find_inputs([str(folder)])[4].where == str(folder / "sub" / "b.sigmf-meta")


def test_names_can_be_chosen(folder):
    assert names([str(folder)], "*.npz") == [".f.npz", "a.npz"]
    assert names([str(folder)], "sub/*-meta") == ["sub/b.sigmf-meta"]
    assert names([str(folder)], None, str(folder / "sub")) == [n for n in ALL if not n.startswith("sub")]


def test_a_pattern_and_a_file_stand_for_files(folder):
    assert names([str(folder / "*.npz"), str(folder / "e.txt")]) == ["a.npz", "e.txt"]
    assert names([str(folder / "**" / "*.sigmf-meta")]) == ["c0.sigmf-meta", "c1.sigmf-meta", "sub/b.sigmf-meta"]
    assert is_many(str(folder)) and is_many(str(folder / "*.npz")) and not is_many(str(folder / "a.npz"))


def test_an_object_store_is_a_folder(folder, monkeypatch):
    with object_store(monkeypatch) as put:
        for key, data in tree(folder).items():
            put(f"week/{key}", data)
        assert names([f"s3://{BUCKET}/week"]) == ALL == names([f"s3://{BUCKET}/week/"])
        (one,) = find_inputs([f"s3://{BUCKET}/week/s*/*.sigmf-meta"])
        assert one == (f"s3://{BUCKET}/week/sub/b.sigmf-meta", "sub/b.sigmf-meta")
        assert names([f"s3://{BUCKET}/week/a.npz"]) == ["a.npz"]
        put("week/../up.npz", b"")
        with pytest.raises(RecordingError, match="without empty parts and"):
            find_inputs([f"s3://{BUCKET}/week"])
        with pytest.raises(RecordingError, match="found none"):
            find_inputs([f"s3://{BUCKET}/none/"])


def test_a_file_of_a_web_server_is_an_input(folder):
    with web_server(folder) as address:
        assert names([f"{address}/sub/b.sigmf-meta"]) == ["b.sigmf-meta"]


def test_nothing_and_two_of_one_name_are_refused(folder, tmp_path):
    with pytest.raises(RecordingError, match="expected an input, or a folder with some, found none"):
        find_inputs([str(tmp_path / "*.no")])
    with pytest.raises(RecordingError, match=r"expected inputs that fit '\*\.no', found none"):
        find_inputs([str(folder)], "*.no")
    (tmp_path / "a.npz").write_text("")
    with pytest.raises(RecordingError, match="expected inputs with names of their own"):
        find_inputs([str(folder), str(tmp_path / "a.npz")])
    assert names([str(folder), str(folder / "a.npz")]) == ALL  # twice the same is once


def test_inputs_in_the_folder_of_results_are_none_and_that_is_said(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.npz").touch()
    with pytest.raises(RecordingError, match="expected inputs outside of the folder of results, found all of them in"):
        find_inputs([str(tmp_path / "in")], without=str(tmp_path))
