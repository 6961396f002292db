"""Running the command line in this process or as the program a user has, and something for it to read."""

import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from doamc.cli import main


@pytest.fixture
def doamc(capsys):
    """doamc(*arguments) -> (exit status, stdout, stderr), in this process."""

    def run(*arguments):
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as exit_:
            status = exit_.code
        out = capsys.readouterr()
        return status, out.out, out.err

    return run


@pytest.fixture
def refused(doamc):
    """refused(*arguments) -> the one line on stderr of a command that must end with exit status 2."""

    def run(*arguments):
        status, out, err = doamc(*arguments)
        assert status == 2 and out == ""
        assert err.startswith("doamc: error: ") and err.count("\n") == 1 and err.endswith("\n")
        return err

    return run


@pytest.fixture
def program(child):
    """program(*arguments) -> Popen of ``doamc`` with pipes, killed when the test ends."""

    def start(*arguments):
        code = "import sys; from doamc.cli import main; sys.exit(main())"
        words = [a if isinstance(a, bytes) else str(a) for a in arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return child([sys.executable, "-c", code, *words], **pipes, text=True)

    return start


@contextmanager
def repeating(publisher, make):
    """Address of a publisher that sends make(0), make(1), ... until the block ends."""
    end = threading.Event()

    def send():
        seq = 0
        while not end.wait(0.02):
            publisher.estimate(make(seq))
            seq += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield publisher.address
    finally:
        end.set()
        thread.join(60)
