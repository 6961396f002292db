"""``doamc locate``: where emitters are, by the bearings in logs of several stations, or of one that moves."""

import argparse
from pathlib import Path
from typing import Any

from doamc.cli.cluster_options import add_cluster_arguments
from doamc.cli.options import between, hertz, number, seconds, whole

_FORMATS = ("jsonl", "geojson")


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "locate",
        help="positions of emitters from logs of bearings",
        description="Writes positions with error ellipses, JSON lines of schema doamc.position/1 or GeoJSON. Logs are "
        "those of doamc publish, monitor and scan (.jsonl, .csv, .sqlite) or archives (.parquet). A station is a log, "
        "or a folder of logs; it may move.",
    )
    parser.add_argument("inputs", nargs="+", metavar="LOG", help="logs, folders, patterns, URLs")
    parser.add_argument("-o", "--out", required=True, metavar="OUT",
                        help=".jsonl or .geojson to write; or a folder, where a run goes on")  # fmt: skip
    parser.add_argument("--include", metavar="PATTERN", help="take only files of such names")
    parser.add_argument("--format", choices=_FORMATS, help="of the positions in a folder (default jsonl)")
    where = parser.add_argument_group("stations, where logs do not tell")
    where.add_argument("--station", type=station, action="append", default=[], metavar="NAME=LAT,LON[,HEADING]",
                       help="place, degrees north and east, true bearing of the +x axis; repeatable")  # fmt: skip
    where.add_argument("--stations", metavar="TOML", help="file of them, as doamc dashboard takes it")
    where.add_argument("--heading-std", type=between(0, 90), default=1.0, metavar="DEG",
                       help="deviation of the error that all bearings of a station share (default 1)")  # fmt: skip
    which = parser.add_argument_group("which bearings are of one emitter")
    which.add_argument("--frequency", type=number, metavar="HZ", help="take this frequency alone")
    which.add_argument("--spacing", type=hertz, default=5000.0, metavar="HZ",
                       help="frequencies no further apart are one emitter's (default 5000)")  # fmt: skip
    which.add_argument("--signal", type=numbered, action="append", default=[], metavar="[NAME=]ID",
                       help="take this signal of doamc scan alone, of one station or of each; repeatable")  # fmt: skip
    which.add_argument("--track", type=numbered, action="append", default=[], metavar="[NAME=]ID",
                       help="the same for a track")  # fmt: skip
    which.add_argument("--window", type=seconds, metavar="S", help="a position for every S seconds (default: one)")
    which.add_argument("--emitters", type=whole(1, 16), default=1, metavar="N",
                       help="emitters of one frequency and window at most (default 1)")  # fmt: skip
    how = parser.add_argument_group("what is known beforehand")
    how.add_argument("--outliers", type=between(1e-6, 0.9), default=0.05, metavar="SHARE",
                     help="of bearings that are another's or wrong (default 0.05; of doubtful ones half)")  # fmt: skip
    how.add_argument("--region", type=between(0.01, 20_000), default=100.0, metavar="KM",
                     help="how far from the stations' middle emitters may be (default 100)")  # fmt: skip
    how.add_argument("--probability", type=between(0.01, 0.9999), default=0.9, metavar="P",
                     help="that an ellipse holds its emitter (default 0.9)")  # fmt: skip
    add_cluster_arguments(parser, "for a folder one a core, for a file 0")
    parser.set_defaults(run=run)


def station(text: str) -> tuple[str, float, float, float | None]:
    """Type of ``NAME=LAT,LON[,HEADING]``."""
    name, _, place = text.rpartition("=")
    parts = place.split(",")
    if not name or len(parts) not in (2, 3):
        raise argparse.ArgumentTypeError(f"expected NAME=LAT,LON or NAME=LAT,LON,HEADING, found {text[:60]!r}")
    heading = between(-360, 360)(parts[2]) if len(parts) == 3 else None
    return name, between(-90, 90)(parts[0]), between(-180, 180)(parts[1]), heading


def numbered(text: str) -> tuple[str | None, int]:
    """Type of ``[NAME=]ID``."""
    name, _, one = text.rpartition("=")
    return name or None, whole(0)(one)


def run(args: argparse.Namespace) -> int:
    """Read, locate, write; 1 where anything was set aside."""
    from doamc.cli.locate_run import locate_logs
    from doamc.errors import RecordingError
    from doamc.files.atomic import check_folder
    from doamc.files.remote import is_url

    if is_url(args.out):
        raise RecordingError(f"expected a file or folder of this machine for results, found {args.out}")
    suffix = Path(args.out).suffix.lower()[1:]
    folder = suffix not in _FORMATS
    if folder:
        check_folder(args.out, *(f".{form}" for form in _FORMATS))
    if not folder and args.format not in (None, suffix):
        raise RecordingError(f"expected --format {suffix} for {args.out}, found {args.format}; name another file")
    return locate_logs(args, folder, (args.format or "jsonl") if folder else suffix)
