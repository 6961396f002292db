"""Files that appear whole or not at all, on a full disk too: one error, whatever the writer does after it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.files.atomic import check_folder, check_output, make_folder, whole_file
from doamc.files.line_file import LineFile
from doamc.snapshots.npz import write_snapshots

#: a limit on the size of files stands for a full disk
FULL = """
import resource, sys
import matplotlib.font_manager, numpy as np, torch
from doamc.learning.checkpoint import Checkpoint, save_checkpoint
from doamc.errors import RecordingError
from doamc.figures.style import draw_figure
from doamc.snapshots.npz import write_snapshots
from doamc.snapshots.sigmf_write import write_recording
from doamc.spec import load_spec
samples = np.ones((2, 5000), complex)
tensors = {"w": torch.ones(5000)}
writers = [
    lambda path: write_snapshots(path + "/a.npz", snapshots=samples, noise=samples),
    lambda path: write_recording(path + "/a.sigmf-meta", samples, sample_rate_hz=1.0, frequency_hz=1.0),
    lambda path: save_checkpoint(path + "/a.safetensors", Checkpoint("k", load_spec("ula4"), {}, {}, tensors)),
    lambda path: draw_figure(path + "/a.png", (3, 3), lambda figure: figure.subplots().plot([0, 1])),
]
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
for write in writers:
    try:
        write(sys.argv[1])
    except RecordingError as error:
        print(error)
"""


def test_a_full_disk_is_one_error_for_every_writer(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "", done.stderr  # no complaint of an archive left open either
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and all(line.endswith(": File too large") for line in lines), lines
    names = [line.split(":")[0].rpartition("/")[2] for line in lines]
    assert names == ["a.npz", "a.sigmf-data", "a.safetensors", "a.png"]
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_there_whole_and_nothing_is_when_the_writer_fails(tmp_path):
    path = tmp_path / "a.npz"
    with whole_file(path) as file:
        np.savez(file, x=np.arange(10_000))
        assert not path.exists()
    assert np.load(path)["x"].sum() == 49_995_000
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"] and np.load(path)["x"].size == 10_000


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    make_folder(tmp_path / "a" / "b" / "file")
    (tmp_path / "plain").write_text("")
    with pytest.raises(RecordingError, match=r"no folder .*plain can be made"):
        make_folder(tmp_path / "plain" / "file")


def test_output_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.npz"
    write_snapshots(path, snapshots=np.ones((1, 2, 3), complex))
    before = path.read_bytes()
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), whole_file(path) as file:
            file.write(b"half")
            file.flush()
            raise error
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["out.npz"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_output_that_cannot_be_made_is_refused_beforehand(tmp_path):
    for path, message in (
        (tmp_path / "no" / "out.npz", "there is no folder"),
        (tmp_path, "found a folder"),
        ("/dev/null", "or a device"),
        (tmp_path / ("long" * 100) / "out.npz", "there is no folder"),  # the system refuses even to look
    ):
        with pytest.raises(RecordingError, match=message):
            check_output(path)
        with pytest.raises(RecordingError, match=message), whole_file(path):
            pytest.fail("the block must not start")


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(RecordingError, match="a name that can be encoded"):
        check_output("\ud800.npz")


def test_endings_are_those_that_are_written(tmp_path):
    check_output(tmp_path / "a.NPZ", ".npz", ".fits")
    for name in ("a", "a.txt", "npz", "a.npz.bak"):
        with pytest.raises(RecordingError, match=r"expected a file that ends in \.npz or \.fits, found"):
            check_output(tmp_path / name, ".npz", ".fits")


@pytest.mark.parametrize("make", [check_output, check_folder, LineFile])
@pytest.mark.parametrize("name", [".npz", ".jsonl", ".JSONL", ".sigmf-meta", ".csv", ".png"])
def test_an_ending_alone_is_no_name(make, name, tmp_path):
    """As of $NAME.npz, where NAME is not set."""
    for path in (tmp_path / name, name):
        with pytest.raises(RecordingError, match=rf"expected a name before the ending \{name}, found none in"):
            make(path)
    assert not any(tmp_path.iterdir())
    (tmp_path / ".npz").mkdir()  # who made it meant it
    check_folder(tmp_path / ".npz")
    check_folder(f"{tmp_path}/.jsonl/")
    check_folder(tmp_path / ".results")


@pytest.mark.parametrize("check", [check_output, check_folder])
def test_no_name_and_urls_are_refused(check):
    with pytest.raises(RecordingError, match=r"expected the name of a .* for results, found none"):
        check("")
    with pytest.raises(RecordingError, match=r"of this machine for results, found s3://bucket/out\.npz; copy it"):
        check("s3://bucket/out.npz")


def test_a_terminal_is_no_folder():
    with pytest.raises(RecordingError, match="found -: they are not written to the terminal"):
        check_folder("-")


def test_the_ending_of_sigmf_is_in_small_letters(tmp_path):
    check_output(tmp_path / "a.sigmf-meta", ".npz", ".sigmf-meta")
    with pytest.raises(RecordingError, match=r"expected \.sigmf-meta in small letters"):
        check_output(tmp_path / "A.SIGMF-META", ".npz", ".sigmf-meta")


def test_a_folder_of_results_has_not_the_name_of_a_file(tmp_path):
    (tmp_path / "there.txt").mkdir()
    for name in ("out", "out/", "out.txt/", "2026.11.29", "there.txt", "."):
        check_folder(f"{tmp_path}/{name}")
    for name in ("out.npz", "out.sigmf-meta"):
        with pytest.raises(RecordingError, match=r"results, or a file that ends in \.jsonl, found .*; add /"):
            check_folder(f"{tmp_path}/{name}", ".jsonl")
