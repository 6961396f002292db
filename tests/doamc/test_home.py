import os
import subprocess
import sys
import tempfile

import pytest

from doamc.home import can_hold, settle_matplotlib, temporary_folder

PLOT = """
import doamc.figures
import matplotlib.font_manager
print(matplotlib.get_cachedir())
"""


def test_a_folder_can_be_held_where_it_or_one_above_is_writable(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    assert can_hold(tmp_path) and can_hold(tmp_path / "a" / "b")
    assert not can_hold(file) and not can_hold(file / "a")  # for root, too
    (tmp_path / "loose").symlink_to(tmp_path / "nowhere")
    assert not can_hold(tmp_path / "loose")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert can_hold("~/.cache/a")
    monkeypatch.setenv("HOME", str(file))
    assert not can_hold("~/.cache/a")


def test_a_home_that_nobody_knows_holds_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a folder of the name "~" could be made
    monkeypatch.setattr(os.path, "expanduser", str)  # what it gives for a user that the system does not list
    assert not can_hold("~/.cache/a")


def test_the_temporary_folder_is_writable_and_goes():
    with temporary_folder() as folder:
        assert can_hold(folder) and os.stat(folder).st_mode & 0o777 == 0o700
    assert not os.path.exists(folder)


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no /dev/shm, so nothing to fall back to")
def test_the_temporary_folder_is_in_memory_where_no_other_is_writable(monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with temporary_folder() as folder:
        assert os.path.dirname(folder) == "/dev/shm"
    assert not os.path.exists(folder)


def test_matplotlib_keeps_its_cache_where_it_can(tmp_path, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    settle_matplotlib()
    assert "MPLCONFIGDIR" not in os.environ


def test_matplotlib_is_silent_without_a_home_and_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    bare = {"HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", PLOT], env=bare, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(tmp_path / "doamc-"))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
