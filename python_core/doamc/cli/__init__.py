"""The command line ``doamc``: one module a command, each with ``add_parser(subparsers)``; heavy imports are late.

Exit status: 0 done, 2 bad input or usage (one line on stderr), 130 interrupted.
"""

import argparse
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import NoReturn

from doamc import DoamcError, __version__

_COMMANDS = (
    "estimate", "simulate", "compare", "mimo", "publish", "monitor", "dashboard", "train", "methods", "arrays", "grc",
    "antenna", "heimdall_emulator", "plot", "keys", "recover",
)  # fmt: skip
_TERMINATE = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"doamc: error: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """Parser of all commands; ``run`` of the result takes it and returns the exit status."""
    parser = _Parser(prog="doamc", description="Directions of arrival and mutual coupling of antenna arrays.")
    parser.add_argument("--version", action="version", version=f"doamc {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for name in _COMMANDS:
        import_module(f"doamc.cli.{name}").add_parser(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command line (default: the process's) and return its exit status."""
    previous = {}
    with suppress(ValueError):  # not the main thread
        for name in _TERMINATE:  # so that outputs are closed and temporary files removed
            if signal.getsignal(name) is not signal.SIG_IGN:  # as under nohup
                previous[name] = signal.signal(name, _terminate)
    try:
        args = make_parser().parse_args(argv)
        status = args.run(args)
        sys.stdout.flush()
        return int(status or 0)
    except DoamcError as error:
        print(f"doamc: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has left; keep the exit of Python quiet too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
