"""``doamc recover``: finish a recording whose recorder was killed."""

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "recover",
        help="finish a recording whose recorder was killed",
        description="Makes FILE-torn.sigmf-meta and .sigmf-data of the parts that a killed recorder left, with every "
        "batch that was written whole. A recorder that is started again with the same file does so, too.",
    )
    parser.add_argument("file", metavar="FILE.sigmf-meta", help="the recording that was to be")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Recover and say what came of it. Raises RecordingError when there is nothing to recover."""
    from pathlib import Path

    from doamc.errors import RecordingError
    from doamc.snapshots.journal import parts_of, recover

    path = Path(args.file)
    if path.suffix != ".sigmf-meta":
        raise RecordingError(f"expected a .sigmf-meta file, found {path}")
    found = recover(path)
    if found is None:
        raise RecordingError(f"expected the parts of a recording, {parts_of(path)[1]}, found none")
    print(found)
    return 0
