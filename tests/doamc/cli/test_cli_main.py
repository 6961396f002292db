"""The entry point: start-up time, usage errors, exits."""

import os
import resource
import signal
import subprocess
import sys

import pytest

import doamc as package
from doamc.cli import make_parser

CODE = "import sys; from doamc.cli import main; sys.exit(main())"


def test_help_comes_at_once():
    took = []
    for _ in range(5):  # processor time of the quickest of five: other programs share this computer
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = subprocess.run([sys.executable, "-c", CODE, "--help"], capture_output=True, text=True, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    for command in ("estimate", "simulate", "compare", "publish", "monitor", "train", "methods", "arrays"):
        assert f"\n    {command} " in text
    assert min(took) < 0.3, took


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom doamc.cli import make_parser\nmake_parser().format_help()\n"
        "heavy = {'torch', 'numpy', 'scipy', 'zmq', 'matplotlib', 'rich', 'sigmf', 'gnuradio'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_version(doamc):
    assert doamc("--version") == (0, f"doamc {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["fly"], "fly"),
        (["estimate", "in.npz"], "--array"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--snapshots", "0"], "whole number >= 1, found '0'"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--batches", "x"], "whole number >= 1, found 'x'"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--sources", "0"], "whole number >= 1, found '0'"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--noise-power", "-1"], "number > 0, found '-1'"),
        (["simulate", "ula8", "-o", "o", "--snr-db", "nan"], "finite number, found 'nan'"),
        (["train", "--array", "ula8", "--net", "huge"], "batch"),
    ],
)
def test_usage_errors_are_one_line(refused, arguments, message):
    assert message in refused(*arguments)


def test_train_hands_over_its_options():
    words = "--array uca5 --net snapshot --minutes 1.5 --steps 7 --device cuda --resume --out x --threads 2 --seed 3"
    args = vars(make_parser().parse_args(["train", *words.split()]))
    args.pop("run")
    assert args == {"array": "uca5", "net": "snapshot", "minutes": 1.5, "steps": 7, "device": "cuda", "resume": True,
                    "out": "x", "threads": 2, "seed": 3}  # fmt: skip


def test_reader_that_leaves_gets_no_traceback():
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as closed:
        done = subprocess.run([sys.executable, "-c", CODE, "arrays"], stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == ""
