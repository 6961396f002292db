"""The entry point: start-up time, usage errors, exits."""

import argparse
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

import doamc as package
from doamc.cli import main, make_parser

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


def test_every_command_says_what_it_does():
    commands = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    for name, parser in commands.choices.items():
        assert len((parser.description or "").split()) > 5, name
        assert all(a.help for a in parser._actions), name
    assert {a.dest for a in commands._choices_actions} == set(commands.choices)


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
        (["estimate", "in.npz"], "-o/--out"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--snapshots", "0"], "whole number >= 1, found '0'"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--batches", "x"], "whole number >= 1, found 'x'"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--sources", "0"], "whole number >= 1, found '0'"),
        (["estimate", "in.npz", "-o", "o", "--array", "ula8", "--noise-power", "-1"], "number > 0, found '-1'"),
        (["simulate", "ula8", "-o", "o", "--snr-db", "nan"], "from -200 to 200, found 'nan'"),
        (["train", "--array", "ula8", "--net", "huge"], "waveform"),
        (["train", "--array=--"], "expected a value, found --array=--"),
        (["estimate", "in.npz", "-o--", "--array", "ula8"], "expected a value, found -o--"),
        (["publish", "in.npz", "--wait", "-1"], "number from 0 to"),
        (["publish", "in.npz", "--rate", "1e-90"], "number from 1e-06 to"),
    ],
)
def test_usage_errors_are_one_line(refused, arguments, message):
    assert message in refused(*arguments)


FAULT = """import sys
from doamc import cli
from doamc.cli import arrays
arrays.run = lambda args: {}['\\x1b[2J' + 'x' * 999]
"""


def faulty(*arguments):
    return subprocess.run(
        [sys.executable, "-c", f"{FAULT}sys.exit(cli.main())", *arguments], capture_output=True, text=True, timeout=60
    )


def test_a_fault_of_ours_is_one_line_and_its_traceback_an_option():
    done = faulty("arrays")
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1 and len(done.stderr) < 600
    assert done.stderr.startswith("doamc: error: KeyError: ") and "\x1b" not in done.stderr
    assert "please report it, with what doamc --traceback" in done.stderr
    done = faulty("--traceback", "arrays")
    assert done.returncode == 1 and done.stderr.startswith("Traceback") and "KeyError" in done.stderr


def test_a_fault_of_ours_is_raised_to_callers_from_python(monkeypatch):
    """So that no test of a command mistakes one for an error that is told."""
    monkeypatch.setattr("doamc.cli.arrays.run", lambda args: {}["fault"])
    with pytest.raises(KeyError, match="fault"):
        main(["arrays"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_swallowed_is_obeyed_when_something_fails(doamc, monkeypatch, number):
    """What follows is no fault of ours, and not told as one."""

    def swallowing(args):
        with suppress(BaseException):
            signal.raise_signal(number)
        raise AttributeError("module 'numpy' has no attribute 'broadcast_to'")

    monkeypatch.setattr("doamc.cli.arrays.run", swallowing)
    assert doamc("arrays") == (128 + number, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_an_import_is_done(doamc, monkeypatch, tmp_path, number):
    """Torch would go on with half of NumPy, or end by a C++ exception."""
    (tmp_path / "half_of_it.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    came = []

    def importing(args):
        import half_of_it

        came.append(half_of_it.whole)
        time.sleep(60)

    monkeypatch.setattr("doamc.cli.arrays.run", importing)
    sys.modules.pop("half_of_it", None)
    assert doamc("arrays") == (128 + number, "", "") and came == [True]


EARLY = """import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "doamc.cli.{}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from doamc.__main__ import run
run()
"""


@pytest.mark.parametrize("module", ["own_inputs", "estimate"])
def test_an_interrupt_is_quiet_before_there_is_a_command_line(module, tmp_path):
    waits = ["monitor", f"ipc://{tmp_path}/nobody", "--once", "--json", "--timeout", "60"]
    done = subprocess.run([sys.executable, "-c", EARLY.format(module), *waits], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_is_quiet_when_the_command_has_ended():
    late = "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
    code = f"{late}from doamc.__main__ import run\nrun()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")  # 130 to a shell


def test_messages_are_one_short_line_without_escapes(refused, tmp_path):
    for name in ("x" * 5000, "a\nb\x1b]0;title\x07\x9b2J", "\udcff.toml"):
        line = refused("arrays", name)
        assert len(line) < 450 and line.rstrip("\n").isprintable()
        line = refused("estimate", "in.npz", "--array", "ula8", "-o", tmp_path / "o.npz", "--seed", name)
        assert len(line) < 500 and line.rstrip("\n").isprintable()


def test_names_that_are_no_text_are_written_all_the_same(program, tmp_path):
    started = program("simulate", "ula8", "-o", os.fsencode(tmp_path) + b"/\xff.npz", "--batches", "1")
    out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, "") and out.startswith(str(tmp_path)) and r"\udcff.npz: scenes: 1" in out


def test_train_hands_over_its_options():
    words = "--array uca5 --net snapshot --minutes 1.5 --steps 7 --device cuda --resume --out x --threads 2 --seed 3"
    args = vars(make_parser().parse_args(["train", *words.split()]))
    args.pop("run"), args.pop("traceback")
    assert args == {"array": "uca5", "net": "snapshot", "minutes": 1.5, "steps": 7, "device": "cuda", "resume": True,
                    "out": "x", "threads": 2, "seed": 3, "data": None, "snapshots": None}  # fmt: skip


def test_reader_that_leaves_gets_no_traceback():
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as closed:
        done = subprocess.run([sys.executable, "-c", CODE, "arrays"], stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == ""
