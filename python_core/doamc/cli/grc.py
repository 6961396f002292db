"""``doamc grc`` and ``doamc grcc``: GNU Radio Companion and its compiler, with the blocks of this project in reach."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path
from typing import Any

from doamc.children import child
from doamc.cli.grc_install import install, uninstall
from doamc.errors import DoamcError
from doamc.home import can_hold, temporary_folder

_TREE = "doamc.tree.yml"
_PROGRAMS = {"grc": "gnuradio-companion", "grcc": "grcc"}


def add_parser(subparsers: Any) -> None:
    """Register both commands."""
    companion = subparsers.add_parser(
        "grc",
        help="start GNU Radio Companion with the blocks of gr-doamc",
        description="Starts gnuradio-companion with the blocks in its tree, under this Python, so that flowgraphs run. "
        "With --install it finds them when it is started as usual, too.",
    )
    companion.add_argument("file", nargs="?", type=Path, metavar="FILE", help="flowgraph to open")
    once = companion.add_mutually_exclusive_group()
    once.add_argument("--install", action="store_true", help="link the blocks where plain gnuradio-companion looks")
    once.add_argument("--uninstall", action="store_true", help="remove these links")
    companion.set_defaults(run=_run_companion)
    compiler = subparsers.add_parser(
        "grcc",
        help="compile flowgraphs to Python scripts",
        description="Compiles flowgraphs as GNU Radio's grcc does, which does not know the blocks by itself.",
    )
    compiler.add_argument("files", nargs="+", type=Path, metavar="FILES", help="flowgraphs (.grc)")
    compiler.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIR",
                          help="folder of the scripts (default: here)")  # fmt: skip
    compiler.set_defaults(run=_run_compiler)


def blocks_path() -> Path:
    """Folder with the block descriptions: ``grc/`` of the source tree, else where the wheel put them.

    Raises DoamcError when neither is there.
    """
    source = Path(__file__).resolve().parents[3] / "grc"
    if (source / _TREE).is_file():
        return source
    try:
        files = metadata.files("gr-doamc") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == _TREE:
            return Path(str(file.locate())).resolve().parent
    raise DoamcError(f"expected {_TREE} beside the installed package or in {source}, found none; reinstall gr-doamc")


def environment() -> dict[str, str]:
    """Environment for Companion and its compiler: the block folder comes first in ``GRC_BLOCKS_PATH``."""
    others = os.environ.get("GRC_BLOCKS_PATH")
    path = os.pathsep.join([str(blocks_path()), *([others] if others else [])])
    return {**os.environ, "GRC_BLOCKS_PATH": path}


@contextmanager
def _environment_with_home() -> Iterator[dict[str, str]]:
    """The same with a home that can hold Companion's cache, for without one it does not compile."""
    caches = ("~/.cache", os.environ.get("XDG_CACHE_HOME") or "~/.cache")  # older and newer releases
    if all(can_hold(cache) for cache in caches):
        yield environment()
        return
    with temporary_folder() as home:
        yield {**environment(), "HOME": home, "XDG_CACHE_HOME": os.path.join(home, ".cache")}


def command(program: str) -> list[str]:
    """How a program of GNU Radio is started under this very Python, whose packages the flowgraphs need.

    Raises DoamcError when GNU Radio is not installed.
    """
    found = shutil.which(program)
    if found is None or util.find_spec("gnuradio") is None:
        what = f"no {program}" if found is None else f"a Python that cannot import gnuradio ({sys.executable})"
        raise DoamcError(f"expected GNU Radio, found {what}; install it (apt install gnuradio, or radioconda)")
    return [sys.executable, found]


def _run_companion(args: argparse.Namespace) -> int:
    if args.install or args.uninstall:
        print("\n".join(install(blocks_path()) if args.install else uninstall()))
        return 0
    if args.file is not None and not os.path.isfile(args.file):
        raise DoamcError(f"expected a flowgraph, found no file {args.file}")
    start = command(_PROGRAMS["grc"])
    line = [*start, *([str(args.file)] if args.file else [])]
    with _environment_with_home() as variables, child(line, env=variables) as companion:
        return companion.wait()


def _run_compiler(args: argparse.Namespace) -> int:
    for file in args.files:
        if not os.path.isfile(file):
            raise DoamcError(f"expected a flowgraph, found no file {file}")
    start = command(_PROGRAMS["grcc"])
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=".grcc-", dir=args.output) as folder,
            _environment_with_home() as variables,
        ):
            line = [*start, "-o", folder, *map(str, args.files)]
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            with child(line, env=variables, **streams) as compiler:
                said, _ = compiler.communicate()
            scripts = sorted(Path(folder).iterdir())
            if compiler.returncode or not scripts:
                raise DoamcError(f"grcc failed with status {compiler.returncode}: {_cause(said)}")
            for script in scripts:
                os.replace(script, args.output / script.name)
                print(args.output / script.name)
    except OSError as error:
        raise DoamcError(f"cannot write to {args.output}: {error.strerror}") from error
    return 0


def _cause(text: str) -> str:
    """The end of what the compiler said, without the traceback's lines of code."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(" ")]
    return " | ".join(lines[-4:])[-600:] or "it said nothing"
