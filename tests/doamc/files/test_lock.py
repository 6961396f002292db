"""One writer an output, and none that is dead."""

import subprocess
import sys

import pytest

from doamc.cli import main
from doamc.errors import RecordingError
from doamc.files.lock import Lock

HOLD = """
import sys, time
from doamc.files.lock import Lock
Lock(sys.argv[1])
print(1, flush=True)
time.sleep(600)
"""


def test_the_second_is_refused_until_the_first_is_done(tmp_path):
    path = tmp_path / "out"
    with Lock(path):
        with pytest.raises(RecordingError, match="somebody else is writing it"):
            Lock(path)
        Lock(tmp_path / "other").release()
    again = Lock(path)
    again.release()
    again.release()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nobody_up(tmp_path, child):
    path = tmp_path / "out"
    holder = child([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"1\n"
    with pytest.raises(RecordingError, match="somebody else"):
        Lock(path)
    holder.kill()
    holder.wait(60)
    Lock(path).release()
    assert list(tmp_path.iterdir()) == []


def test_two_trainings_of_one_output_do_not_mix(tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    command = ["train", "--array", "ula4", "--net", "vae", "--steps", "1", "--out", str(path)]
    with Lock(path):
        assert main(command) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "somebody else is writing it" in err and not path.exists()
    assert main(command) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w.log.jsonl", "w.safetensors"]


@pytest.mark.parametrize("place", ["folder", "plain/w.safetensors"])
def test_weights_that_cannot_be_written_are_refused_before_training(tmp_path, capsys, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")
    assert main(["train", "--array", "ula4", "--net", "vae", "--steps", "1", "--out", str(tmp_path / place)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "cannot write" in err
