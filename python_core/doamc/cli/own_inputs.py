"""An output is never one of the inputs: results would take the place of what they were made of."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from doamc.errors import RecordingError

#: destinations of arguments, of any command, that name files to read, and those that name files to write
INPUTS = (
    "input",
    "inputs",
    "log",
    "truth",
    "data",
    "coupling",
    "weights",
    "recording",
    "stations",
    "array",
    "rx",
    "tx",
)
OUTPUTS = ("out", "picture", "plot", "elevation", "simulate", "record", "csv", "csv_latest", "xml", "csv_log", "sqlite",
           "report", "prior")  # fmt: skip
_SIGMF = (".sigmf-meta", ".sigmf-data")


def check_own_inputs(args: argparse.Namespace) -> None:
    """Raise RecordingError where a file to write is one that is read; a SigMF recording is both of its files."""
    read = [file for name in _named(args, INPUTS) for file in _files(name)]
    for name in _named(args, OUTPUTS):
        check_distinct(name, read)


def check_distinct(out: str | Path, read: list[str]) -> None:
    """Raise RecordingError where a file to write is one of those that are read, by whatever path or link."""
    for mine in _files(str(out)):
        if os.path.isfile(mine) and any(_same(mine, file) for file in read):
            raise RecordingError(f"expected to write another file than those that are read, found {out}")


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # the other is not there, or is no path
        return False


def _named(args: argparse.Namespace, keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = getattr(args, key, None)
        yield from (str(v) for v in (value if isinstance(value, list) else [value]) if isinstance(v, str | Path))


def _files(name: str) -> list[str]:
    stem, suffix = os.path.splitext(name)
    return [stem + s for s in _SIGMF] if suffix in _SIGMF else [name]
