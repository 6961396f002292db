"""Children end with the block they were started for, also when a signal comes while they are being started."""

import signal
import subprocess
import sys

import pytest

from doamc.children import child

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"


def test_a_child_ends_with_its_block():
    with pytest.raises(ZeroDivisionError), child(SLEEP) as process:
        assert process.poll() is None
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGTERM


def test_one_that_ends_by_itself_keeps_its_status():
    with child([sys.executable, "-c", "raise SystemExit(7)"]) as process:
        process.wait(30)
    assert process.returncode == 7


def test_one_that_ignores_the_polite_way_is_killed(monkeypatch):
    monkeypatch.setattr("doamc.children.end.__defaults__", (0.2,))
    with child([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"1\n"
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_a_signal_while_a_child_starts_ends_it_too(monkeypatch):
    started, real = [], subprocess.Popen

    def start(*arguments, **options):
        started.append(real(*arguments, **options))
        signal.raise_signal(signal.SIGINT)  # nobody knows of the child yet
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt), child(SLEEP):
        pytest.fail("the block must not begin")
    assert started[0].returncode is not None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
