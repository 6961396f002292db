"""A flowgraph starts whatever the home is; GNU Radio alone fails where it cannot make ``.gnuradio`` there."""

import os
import subprocess
import sys

import pytest
from gr_doamc.runtime.buffers import choose_buffers

RUN = """
from gnuradio import blocks, gr
{ours}
flowgraph = gr.top_block("any")
flowgraph.connect(blocks.null_source(8), blocks.head(8, 1000), blocks.null_sink(8))
flowgraph.run()
"""


def run(ours, home, tmp_path):
    bare = {"LC_ALL": "C", "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), **home}
    code = RUN.format(ours=ours)
    return subprocess.run([sys.executable, "-c", code], env=bare, cwd="/", capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("home", ["missing", "file", "whole", "empty"])
def test_a_flowgraph_starts_whatever_the_home_is(home, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "whole").mkdir()
    (tmp_path / "temporary").mkdir()
    given = {"HOME": "" if home == "empty" else str(tmp_path / home)}
    done = run("import gr_doamc, os; print('left', os.environ['HOME'])", given, tmp_path / "temporary")
    assert done.returncode == 0, done.stderr
    assert f"left {given['HOME']}" in done.stdout.splitlines()  # as it was, among what GNU Radio says
    assert list((tmp_path / "temporary").iterdir()) == []
    notes = list(tmp_path.rglob("vmcircbuf_default_factory"))
    assert len(notes) == (home == "whole")  # GNU Radio's own way is kept


@pytest.mark.parametrize("name", ["XDG_CONFIG_HOME", "GR_PREFS_PATH"])
def test_a_flowgraph_starts_whatever_the_folder_of_settings_is(name, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "home").mkdir()
    given = {"HOME": str(tmp_path / "home"), name: str(tmp_path / "file")}
    done = run(f"import gr_doamc, os; print('left', os.environ['{name}'])", given, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"left {given[name]}" in done.stdout.splitlines()


def test_without_a_home_nothing_is_left_in_its_place(tmp_path):
    done = run("import gr_doamc, os; assert 'HOME' not in os.environ", {"TMP": str(tmp_path / "missing")}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_gnu_radio_can_keep_its_note_nothing_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr("gr_doamc.runtime.buffers._run_something", lambda: pytest.fail("it ran"))
    monkeypatch.setenv("HOME", str(tmp_path))
    choose_buffers()
    assert list(tmp_path.iterdir()) == []
