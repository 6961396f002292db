"""Recordings that the page starts."""

import os
import threading

import pytest

from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.errors import DashboardError
from doamc.estimates import read_records

from .serving import estimate


def test_what_comes_while_it_is_on_is_recorded(tmp_path):
    recording = SwitchedRecorder(tmp_path)
    recording.write("roof", estimate(0))
    recording.start()
    sent = [estimate(k) for k in range(1, 4)]
    for message in sent:
        recording.write("roof", message)
    recording.write("../hill & co", estimate(9))
    state = recording.state()
    assert state["on"] and state["possible"] and [f["messages"] for f in state["files"]] == [3, 1]
    recording.stop()
    recording.write("roof", estimate(4))
    files = sorted(tmp_path.iterdir())
    assert [p.name.split("Z-")[1] for p in files] == ["hill-co.jsonl", "roof.jsonl"]
    assert list(read_records(files[1])) == sent
    after = recording.state()
    assert not after["on"] and after["files"] == state["files"] and after["error"] is None


def test_a_second_recording_never_writes_into_the_first(tmp_path):
    recording = SwitchedRecorder(tmp_path)
    for _ in range(3):  # within the same second, as a rule
        recording.start()
        recording.write("a", estimate())
        recording.stop()
    assert len(list(tmp_path.iterdir())) == 3
    assert all(len(list(read_records(p))) == 1 for p in tmp_path.iterdir())


def test_a_full_disk_ends_it_and_is_told():
    recording = SwitchedRecorder("/dev")  # a folder in which nobody makes files, and /dev/full stands for the disk
    recording.start()
    from doamc.estimates.record import Recorder

    recording._files["a"] = Recorder("/dev/full")
    recording.write("a", estimate())
    state = recording.state()
    assert not state["on"] and "No space left" in state["error"]
    recording.write("a", estimate())


def test_without_a_folder_there_is_no_recording(tmp_path, monkeypatch):
    recording = SwitchedRecorder(None)
    assert recording.state()["possible"] is False
    with pytest.raises(DashboardError, match="--recordings FOLDER"):
        recording.start()
    with monkeypatch.context() as patched, pytest.raises(DashboardError, match="that can be written, found"):
        patched.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
        SwitchedRecorder(tmp_path)
    with pytest.raises(DashboardError, match="no such folder"):
        SwitchedRecorder(tmp_path / "none")


def test_starting_twice_goes_on(tmp_path):
    recording = SwitchedRecorder(tmp_path)
    recording.start()
    recording.write("a", estimate(0))
    recording.start()
    recording.write("a", estimate(1))
    recording.stop()
    recording.stop()
    (path,) = tmp_path.iterdir()
    assert [m["seq"] for m in read_records(path)] == [0, 1]


def test_threads_write_whole_lines(tmp_path):
    recording = SwitchedRecorder(tmp_path)
    recording.start()
    threads = [
        threading.Thread(target=lambda n=n: [recording.write(f"r{n % 2}", estimate(k)) for k in range(50)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    recording.stop()
    assert [len(list(read_records(p))) for p in sorted(tmp_path.iterdir())] == [100, 100]
