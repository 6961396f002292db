"""The command line ``doamc``: one module a command, each with ``add_parser(subparsers)``; heavy imports are late.

Exit status: 0 done, 2 bad input or usage (one line on stderr), 130 interrupted. A fault of doamc itself is one line,
too, with how to report it; ``doamc --traceback COMMAND ...`` shows where it happened.
"""

import argparse
import io
import os
import re
import signal
import sys
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import NoReturn

from doamc import DoamcError, __version__
from doamc.cli.own_inputs import check_own_inputs
from doamc.signals import ENDING, put_off
from doamc.text import one_line

# NumPy's matrices are small, and sums over several threads round otherwise: the same bits here and in workers, which
# have one. It counts where NumPy is not loaded yet, as in the command itself; threads of torch are --threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_COMMANDS = (
    "estimate", "scan", "denoise", "simulate", "compare", "mimo", "publish", "monitor", "dashboard", "train", "methods",
    "arrays", "grc", "antenna", "krakensdr_emulator", "heimdall_emulator", "plot", "keys", "record", "recover",
    "diagnose", "image", "locate",
)  # fmt: skip
REPORT = "a fault of doamc itself: please report it, with what doamc --traceback COMMAND ... shows"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"doamc: error: {one_line(message)} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """Parser of all commands; ``run`` of the result takes it and returns the exit status."""
    parser = _Parser(prog="doamc", description="Directions of arrival and mutual coupling of antenna arrays.",
                     epilog="doamc COMMAND --help says more of each. To begin with: doamc simulate uca5 -o scenes.npz, "
                     "then doamc estimate scenes.npz -o estimates.npz --array uca5.")  # fmt: skip
    parser.add_argument("--version", action="version", version=f"doamc {__version__}")
    parser.add_argument("--traceback", action="store_true", help="show where a fault of doamc itself happened")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for name in _COMMANDS:
        import_module(f"doamc.cli.{name}").add_parser(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command line (default: the process's) and return its exit status.

    A fault of doamc itself is raised, so that callers from Python, tests among them, see it. Where the command line is
    the process's own it is printed in one line instead, unless --traceback is given.
    """
    hidden = argv is None
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be valid text
    previous, ended = {}, list[int]()

    def end(number: int, frame: FrameType | None) -> None:
        if put_off(number, frame, main.__code__):
            return
        ended.append(number)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    with suppress(ValueError):  # not the main thread
        for name in ENDING:  # so that outputs are closed and temporary files removed
            if signal.getsignal(name) not in (signal.SIG_IGN, None):  # as under nohup; None: not Python's
                previous[name] = signal.signal(name, end)
    try:
        parser, words = make_parser(), sys.argv[1:] if argv is None else argv
        for word in words:
            if re.fullmatch(r"--[\w-]+=--|-\w--", word):  # argparse would make an empty list of it
                parser.error(f"expected a value, found {word}; name a file -- as ./--")
        args = parser.parse_args(words)
        hidden = hidden and not args.traceback
        check_own_inputs(args)
        status = args.run(args)
        sys.stdout.flush()
        return int(status or 0)
    except DoamcError as error:
        print(f"doamc: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has left; keep the exit of Python quiet too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except MemoryError:
        print("doamc: error: not enough memory for what is asked; ask for fewer or smaller batches", file=sys.stderr)
        return 2
    except Exception as error:
        if ended:  # what was raised then was swallowed, and left something half done
            return 128 + ended[0]
        if not hidden:
            raise
        what = one_line(f"{type(error).__name__}: {error}")
        report = "" if isinstance(error, OSError) else f"; {REPORT}"  # a full disk, a device that is gone
        print(f"doamc: error: {what}{report}", file=sys.stderr)
        return 2
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)
