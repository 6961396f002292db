"""What all tests share: nothing hangs on how busy the computer is, and no process outlives its test."""

import os
import signal
import subprocess

import pytest
from hypothesis import HealthCheck, settings

# As in the Makefile, for pytest by itself, before torch is loaded: where another process has a core, threads that wait
# for each other make some tests a hundred times as long.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

settings.register_profile("any load", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any load")

#: files that take longest, and wait for what they start most of the time
LONGEST = ("tests/test_demo.py", "tests/test_package.py", "tests/gr/test_flowgraphs.py")


def pytest_collection_modifyitems(items):
    """The longest files first: of several processes none is left with one of them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def endable():
    """Processes that tests start can be ended by signals, also where a shell runs the tests in the background."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.getsignal(number) for number in usual}
    for number, handler in usual.items():
        if before[number] is signal.SIG_IGN:  # which is handed down, unlike a handler
            signal.signal(number, handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def child():
    """child(command, **options of Popen) -> a process without input, killed when the test ends."""
    started = []

    def start(command, **options):
        words = [word if isinstance(word, bytes) else str(word) for word in command]
        process = subprocess.Popen(words, **({"stdin": subprocess.DEVNULL} | options))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(60)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
