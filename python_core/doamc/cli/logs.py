"""Arguments of the logs of estimates: files that grow, for programs, spreadsheets and databases."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from doamc.cli.options import whole

if TYPE_CHECKING:
    from doamc.estimates.fan_out import Outputs

#: option, what was given, and what makes the output of it
Maker = tuple[str, Any, Callable[[Any], Any]]
#: rows kept: 1.5 GB, eleven days of ten bearings a second
_KEPT = 10_000_000


def add_log_arguments(parser: Any) -> None:
    """The logs, for a parser or a group of one."""
    parser.add_argument("--record", metavar="FILE.jsonl", help="append every estimate to a file, a line each")
    parser.add_argument("--csv-log", metavar="FILE.csv", help="append a row a source to a table with a header")
    parser.add_argument("--sqlite", metavar="FILE", help="write a row a source into a SQLite database, table bearings")
    parser.add_argument("--keep-rows", type=whole(2), default=_KEPT, metavar="N",
                        help=f"rows that these two keep at most; the oldest go (default {_KEPT})")  # fmt: skip


def log_makers(args: argparse.Namespace, tell: Callable[[str], None]) -> list[Maker]:
    """How to open the logs that are asked for. tell: takes what a log has to say while it goes on."""
    from doamc.estimates import Recorder
    from doamc.estimates.csv_table import CsvTable

    def sqlite(path: str) -> Any:
        from doamc.estimates.sqlite_table import SqliteTable

        return SqliteTable(path, args.keep_rows, lambda sentence: tell(f"--sqlite: {sentence}"))

    return [
        ("--record", args.record, Recorder),
        ("--csv-log", args.csv_log, lambda path: CsvTable(path, args.keep_rows)),
        ("--sqlite", args.sqlite, sqlite),
    ]


def open_logs(args: argparse.Namespace, tell: Callable[[str], None]) -> "Outputs":
    """The logs that are asked for, as one output. Raises RecordingError when one cannot be opened."""
    from doamc.estimates.fan_out import Outputs

    return Outputs(opened(log_makers(args, tell)), tell)


def opened(makers: list[Maker]) -> dict[str, Any]:
    """Outputs by their options, of those that are given. Raises DoamcError; those opened before are closed again."""
    from contextlib import ExitStack

    outputs = {}
    with ExitStack() as stack:
        for option, value, make in makers:
            if value not in (None, ""):
                outputs[option] = make(value)
                stack.callback(outputs[option].close)
        stack.pop_all()
    return outputs
