"""No command writes over what it reads."""

import argparse
import os
import shutil

import numpy as np
import pytest

from doamc.cli import make_parser
from doamc.cli.own_inputs import INPUTS, OUTPUTS

#: destinations of positional arguments and of options with a metavar that name no file, or one that is only completed
OTHER = {"name", "address", "source", "file", "files", "annotate"}


def test_every_argument_that_names_a_file_is_known():
    commands = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    for command, parser in commands.items():
        for action in parser._actions:
            words = str(action.metavar)
            positional = not action.option_strings
            if positional or any(w in words for w in ("FILE", "OUT", ".npz", "TOML", ".jsonl")):
                assert action.dest in {*INPUTS, *OUTPUTS, *OTHER}, f"{command} {action.dest}"


@pytest.fixture
def files(tmp_path):
    """A folder with an input of every kind."""
    noise = np.random.default_rng(1).standard_normal((1, 5, 64, 2)).view(np.complex128)[..., 0]
    np.savez(tmp_path / "x.npz", snapshots=noise)
    noise[0].T.astype("c8").tofile(tmp_path / "x.iq")
    (tmp_path / "log.jsonl").write_text("{}\n")
    (tmp_path / "x.sigmf-data").write_bytes(b"1234")
    os.link(tmp_path / "x.npz", tmp_path / "link.npz")
    return tmp_path


@pytest.mark.parametrize("words", [
    "estimate x.npz --array uca5 -o x.npz",
    "estimate x.npz --array uca5 -o link.npz",
    "estimate x.sigmf-meta --array uca5 -o x.sigmf-data",
    "denoise x.npz --array uca5 --sources 1 -o ./x.npz",
    "image x.npz --array uca5 -o x.npz",
    "scan x.iq --array uca5 --sample-rate 1e5 --frequency 1e8 -o x.iq",
    "mimo x.npz -o x.npz",
    "locate log.jsonl --station log=48,11 -o log.jsonl",
    "publish log.jsonl --record log.jsonl",
    "publish log.jsonl --csv log.jsonl",
])  # fmt: skip
def test_an_input_is_not_written_over(words, files, refused, monkeypatch):
    monkeypatch.chdir(files)
    before = {f.name: f.read_bytes() for f in files.iterdir()}
    assert "expected to write another file than those that are read" in refused(*words.split())
    assert {f.name: f.read_bytes() for f in files.iterdir()} == before


def test_positions_of_an_earlier_run_lie_among_the_logs_and_a_log_is_not_written_over(files, doamc, refused):
    logs = files / "logs"
    logs.mkdir()
    shutil.copy(files / "log.jsonl", logs / "roof.jsonl")
    again = "expected bearings"  # nothing in this log; what matters is which files were taken
    earlier = b'{"schema":"doamc.position/1","version":"0.1.0"}\n'
    (logs / "positions.jsonl").write_bytes(earlier)
    line = refused("locate", logs, "-o", logs / "positions.jsonl", "--station", "positions=48,11")
    assert "found positions" in line and again not in line  # no station of that name
    assert "another file" in refused("locate", logs, "-o", logs / "roof.jsonl", "--station", "roof=48,11")


@pytest.mark.parametrize("words", [
    "estimate x.npz --array uca5 -o o.txt",
    "estimate x.npz x.iq --array uca5 -o o.npz",
    "denoise x.npz --array uca5 --sources 1 -o o.txt",
    "image x.npz --array uca5 -o o.txt",
    "scan x.iq --array uca5 --sample-rate 1e5 --frequency 1e8 -o o.csv",
    "mimo x.npz -o o.txt",
    "mimo --simulate o.txt",
    "locate log.jsonl --station log=48,11 -o o.csv",
    "simulate uca5 -o o.mat",
    "simulate uca5 -o o.npz --files 2",
    "simulate uca5 --band x.toml -o o.npz",
    "compare uca5 -o o.json",
    "diagnose --array uca5 -o o.txt",
    "plot log.jsonl -o o.txt",
    "antenna uca5 -o o.txt",
    "train --net sky --steps 1 --out o.pt",
])  # fmt: skip
def test_a_name_whose_ending_is_not_written_is_refused_at_once(words, files, refused, monkeypatch):
    monkeypatch.chdir(files)
    before = sorted(f.name for f in files.iterdir())
    assert "expected a f" in refused(*words.split())  # a file that ends in ..., or a folder
    assert sorted(f.name for f in files.iterdir()) == before
