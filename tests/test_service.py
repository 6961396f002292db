"""Commands, and the units in docs, run where services do: bare environment, other user, read-only disk, no network."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from doamc.cli import main
from doamc.estimates import Subscriber, validate
from tests.gr.few_blocks import LIVE, few_blocks

ROOT = Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))
PROGRAM = "/usr/local/lib/gr-doamc/bin/doamc"
NOBODY = 65534
#: the disk read-only but for one folder, in a namespace of mounts of its own
READ_ONLY = 'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'


def settings(unit):
    """The entries of a unit, each a list of its values."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def restricted(folder):
    """Words before a command that take away what this machine lets us: network, disk but for a folder, the user.

    What is left over is an environment that is empty but for LC_ALL, and a home that is not there.
    """
    bare = ["env", "-i", "LC_ALL=C", "HOME=/nonexistent", f"PYTHONPATH={ROOT / 'python_core'}{os.pathsep}{ROOT}"]
    if os.geteuid() != 0:
        return bare
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *bare]
    tried = (["unshare", "-m", "-n", "sh", "-c", READ_ONLY, str(folder), *other], other)
    code = [sys.executable, "-c", "import doamc"]  # a checkout below a home that only its owner enters cannot be read
    for words in tried:
        if subprocess.run([*words, *code], capture_output=True, timeout=60).returncode == 0:
            return words
    return bare


@pytest.fixture(scope="module")
def place():
    """A folder that others can enter (pytest's own are private), and the words that restrict a command to it."""
    with tempfile.TemporaryDirectory(prefix="doamc-service-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        recording = ROOT / "flowgraphs" / "recordings" / "kraken5_mixed_2"
        for state in ("doamc", "doamc-dashboard"):
            (folder / state).mkdir()
            (folder / state).chmod(0o777)
        for suffix in (".sigmf-meta", ".sigmf-data"):
            shutil.copy(recording.with_suffix(suffix), folder / "doamc" / f"capture{suffix}")
        yield folder, restricted(folder)


def run(place, *words):
    command = [*place[1], sys.executable, "-m", "doamc", *map(str, words)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=240)


def test_estimates_and_figures_are_made(place):
    folder = place[0] / "doamc"
    done = run(place, "estimate", folder / "capture.sigmf-meta", "-o", folder / "out.npz", "--array", "kraken5",
               "--method", "music", "--batches", 3)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    log = folder / "log.jsonl"
    done = run(place, "publish", folder / "capture.sigmf-meta", "--array", "kraken5", "--method", "music",
               "--batches", 3, "--wait", 0, "--address", f"ipc://{folder}/once", "--record", log)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["seq"] for line in log.read_text(encoding="utf-8").splitlines()] == [0, 1, 2]
    done = run(place, "plot", log, "-o", folder / "log.svg")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "log.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_flowgraph_compiles_and_runs(place):
    folder, before = place
    blocks = [f"{name}={value}" for name, value in few_blocks(folder / "blocks").items()]
    done = run((folder, [*before, *blocks]), "grcc", LIVE, "-o", folder / "doamc")
    assert (done.returncode, done.stderr) == (0, "")
    script = [sys.executable, str(folder / "doamc" / "live_doa.py"), "--method", "ml", "--duration", "1"]
    script += ["--address", f"ipc://{folder}/live"]
    done = subprocess.run([*before, *script], cwd="/", capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_as_it_is_written(unit, place, child):
    folder, before = place
    kept = settings(unit)

    def filled(text):
        return text.replace("%S", str(folder)).replace("%C", str(folder / "cache"))

    (start,) = kept["ExecStart"]
    words = filled(start).split()
    assert words[0] == PROGRAM
    environment = [filled(pair) for line in kept["Environment"] for pair in line.split()]
    address = f"ipc://{folder}/unit"
    extra = ["--port", "0"] if words[1] == "dashboard" else ["--address", address, "--method", "music", "--wait", "0"]
    command = [*before, *environment, sys.executable, "-m", "doamc", *words[1:], *extra]
    process = child(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        first = process.stdout.readline()
        assert re.match(r"(publishing|dashboard) on ", first), process.stderr.read()
        if words[1] == "publish":
            with Subscriber(address) as subscriber:
                topic, message = subscriber.receive(60)
            assert topic == "doamc.estimate" and message["array"] == "kraken5"
            validate(message)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    finally:
        watchdog.cancel()
    assert said == ""
    assert [str(process.returncode)] == kept["SuccessExitStatus"]


def test_a_mistake_ends_with_the_status_that_is_not_tried_again(capsys):
    assert all(settings(unit)["RestartPreventExitStatus"] == ["2"] for unit in UNITS) and len(UNITS) == 2
    assert main(["publish", "missing.npz", "--array", "ula8"]) == 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_understands_the_units(tmp_path):
    for unit in UNITS:  # with a program that is there
        text = unit.read_text(encoding="utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "doamc" in line] == []
    assert done.returncode == 0, done.stderr
