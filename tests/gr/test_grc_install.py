"""The blocks where plain grcc looks for them: real grcc, under its own Python, with a user's folder of the test's."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from doamc.cli import main
from doamc.cli.grc import blocks_path
from doamc.cli.grc_install import companion_python, install
from tests.gr.few_blocks import LIVE, few_blocks


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of nobody's, where GNU Radio finds no blocks of a user."""
    for name in ("GRC_BLOCKS_PATH", "GRC_HIER_PATH", "XDG_STATE_HOME", "XDG_CACHE_HOME", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in few_blocks(tmp_path / "blocks").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


def compiles(folder: Path) -> bool:
    """Whether plain grcc compiles a flowgraph of ours."""
    folder.mkdir()
    command = [shutil.which("grcc"), "-o", folder, LIVE]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return (folder / "live_doa.py").is_file()


def test_plain_grcc_compiles_our_flowgraphs_after_install_and_not_after_uninstall(home, tmp_path, capsys):
    assert not compiles(tmp_path / "before")
    assert main(["grc", "--install"]) == 0
    said = capsys.readouterr().out
    n_files = len(list(blocks_path().glob("*.yml")))
    assert said.startswith(f"linked {n_files} files in {home}") and "--uninstall" in said
    assert compiles(tmp_path / "after")
    assert main(["grc", "--install"]) == 0  # again, as after an upgrade
    assert main(["grc", "--uninstall"]) == 0
    links = [p for p in home.rglob("*") if p.is_symlink()]
    assert links == [] and not list(home.rglob("gr-doamc"))
    assert not compiles(tmp_path / "removed")
    capsys.readouterr()
    assert main(["grc", "--uninstall"]) == 0
    assert capsys.readouterr().out.startswith("nothing to remove")


def test_install_says_whether_companion_can_run_them(home, capsys):
    assert main(["grc", "--install"]) == 0
    python = companion_python()
    done = subprocess.run([python, "-c", "import gr_doamc"], cwd="/", capture_output=True, timeout=60)
    told = "cannot run them" in capsys.readouterr().out
    assert told == (done.returncode != 0)


def test_what_companion_reads_already_is_not_linked_twice(home, tmp_path, monkeypatch):
    monkeypatch.setenv("GR_CONF_GRC_GLOBAL_BLOCKS_PATH", os.pathsep.join(["/nowhere", str(blocks_path())]))
    assert install(blocks_path()) == [f"nothing to link: gnuradio-companion reads {blocks_path()} already"]
    assert not list(home.rglob("*.yml"))


def test_files_of_somebody_else_are_kept(home, capsys):
    assert main(["grc", "--install"]) == 0
    folder = next(p for p in home.rglob("gr-doamc"))
    (folder / "mine.block.yml").write_text("id: mine\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["grc", "--uninstall"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "found mine.block.yml" in error
    assert (folder / "doamc.tree.yml").is_symlink() and (folder / "mine.block.yml").is_file()


def test_without_grcc_the_error_says_so(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["grc", "--install"]) == 2
    assert "expected GNU Radio, found no grcc" in capsys.readouterr().err
