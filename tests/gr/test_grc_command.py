import os
import sys
from pathlib import Path

import pytest

from doamc.cli import main
from doamc.cli.grc import blocks_path, command, environment
from doamc.errors import DoamcError
from tests.gr.few_blocks import LIVE, few_blocks


def error_of(capsys, *arguments):
    """The one line that a failing command prints."""
    assert main([str(a) for a in arguments]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("doamc: error: ") and printed.count("\n") == 1
    return printed


def test_the_block_folder_comes_first_and_others_stay(monkeypatch):
    monkeypatch.setenv("GRC_BLOCKS_PATH", "/somewhere/else")
    assert environment()["GRC_BLOCKS_PATH"] == f"{blocks_path()}{os.pathsep}/somewhere/else"
    assert (blocks_path() / "doamc_doa_estimator.block.yml").is_file()


def test_gnuradio_runs_under_this_python():
    start = command("grcc")
    assert start[0] == sys.executable and Path(start[1]).name == "grcc"


def test_without_gnuradio_the_error_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "expected GNU Radio, found no grcc" in error_of(capsys, "grcc", LIVE, "-o", tmp_path)
    assert "found no gnuradio-companion" in error_of(capsys, "grc")
    with pytest.raises(DoamcError, match="install"):
        command("grcc")


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """Only few blocks are read."""
    for name, value in few_blocks(tmp_path / "blocks").items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("home", ["file", "missing"])
def test_flowgraphs_compile_without_a_home(home, capsys, tmp_path, monkeypatch, quick):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / home / "a"))
    assert main(["grcc", str(LIVE), "-o", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["live_doa.py"]


def test_a_missing_file_is_named(capsys, tmp_path):
    assert "found no file nothing.grc" in error_of(capsys, "grcc", "nothing.grc", "-o", tmp_path)
    assert "found no file nothing.grc" in error_of(capsys, "grc", "nothing.grc")


def test_a_flowgraph_that_does_not_compile_leaves_nothing_behind(capsys, tmp_path, quick):
    bad = tmp_path / "bad.grc"
    text = LIVE.read_text(encoding="utf-8")
    bad.write_text(text.replace("id: blocks_throttle", "id: blocks_no_such_block"), encoding="utf-8")
    out = tmp_path / "out"
    assert "grcc failed" in error_of(capsys, "grcc", LIVE, bad, "-o", out)
    assert list(out.iterdir()) == []
