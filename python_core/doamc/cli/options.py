"""Types of command-line arguments, and arguments that several commands share."""

import argparse
import math
from collections.abc import Callable

from doamc.errors import SnapshotError
from doamc.spec.checks import MAX_DB
from doamc.text import shown

MOST = 10**9  #: of whole numbers for which nothing else is said
MAX_SAMPLES = 1 << 25  #: complex samples at once, all channels together: simulating them takes 2.7 GiB
MAX_THREADS = 1024


def whole(least: int, most: int = MOST) -> Callable[[str], int]:
    """Type of whole numbers from `least` to `most`."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # no number, or one of thousands of digits
            value = least - 1
        if not least <= value <= most:
            wanted = f">= {least}" if value < least else f"<= {most}"
            raise argparse.ArgumentTypeError(f"expected a whole number {wanted}, found {shown(text)}")
        return value

    return convert


def positive(text: str) -> float:
    """Type of numbers above zero: from 1e-100, below which their squares vanish, to 1e100."""
    if _parsed(text) <= 0:
        raise argparse.ArgumentTypeError(f"expected a number > 0, found {shown(text)}")
    return between(1e-100, 1e100)(text)


def number(text: str) -> float:
    """Type of numbers whose squares are finite."""
    value = _parsed(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number, found {shown(text)}")
    return between(-1e100, 1e100)(text)


def _parsed(text: str) -> float:
    """A number, NaN where there is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def between(low: float, high: float) -> Callable[[str], float]:
    """Type of numbers from `low` to `high`."""

    def convert(text: str) -> float:
        value = _parsed(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}, found {shown(text)}")
        return value

    return convert


decibel = between(-MAX_DB, MAX_DB)
seed = whole(0, 2**62)
hertz = between(1e-3, 1e12)
port = whole(0, 65535)
seconds = between(1e-6, 1e6)
heading = between(-360.0, 360.0)


def add_heading_argument(parser: "argparse._ActionsContainer", otherwise: str) -> None:
    """How the array stands: the heading, with what counts where it is not given."""
    about = f"true bearing of the array's +x axis, clockwise from north (default: {otherwise})"
    parser.add_argument("--heading", type=heading, metavar="DEG", help=about)


def check_samples(samples: int, what: str) -> None:
    """Raise SnapshotError where so many samples are more than memory should hold at once.

    what: the options that ask for them.
    """
    if samples > MAX_SAMPLES:
        raise SnapshotError(f"expected at most {MAX_SAMPLES} samples at once, found {samples} by {what}; ask for fewer")


def elements(text: str) -> list[int]:
    """Type of element numbers, ``2,5``."""
    return [whole(0)(part) for part in text.split(",")]


def source_count(text: str) -> int | None:
    """Type of ``P|auto``; auto is None."""
    return None if text == "auto" else whole(1)(text)


def add_estimator_arguments(parser: argparse.ArgumentParser, made: bool = False, many: bool = False) -> None:
    """Input, array, method and what goes with them: for ``estimate`` and ``publish``.

    made: the input may also hold estimates that are made already. many: there may be several, and folders of them.
    """
    more = "; or estimates: .jsonl, or a ZMQ address" if made else ""
    inputs = ".npz with 'snapshots' (B, N, L), or a capture: .sigmf-meta, .iq, ..."
    if many:
        parser.add_argument("inputs", nargs="+", metavar="INPUT", help=f"{inputs}; or of many: folders, patterns, URLs")
    else:
        parser.add_argument("input", metavar="INPUT", help=f"{inputs}{more}")
    parser.add_argument(
        "--array", metavar="NAME_OR_TOML",
        help="array specification (doamc arrays); default: that of the recording, krakensdr for one of "
        "a KrakenSDR",
    )  # fmt: skip
    parser.add_argument(
        "--method",
        metavar="M",
        help="estimator (doamc methods), with options as in em:prior=true,samples=8; default: the most accurate one",
    )
    parser.add_argument(
        "--sources", type=source_count, default=None, metavar="P|auto",
        help="number of sources; auto (default): counted in each batch, by evidence where the method has one, as the "
        "default has, else by minimum description length",
    )  # fmt: skip
    parser.add_argument("--noise-power", type=positive, metavar="X", help="known noise power per element, linear")
    parser.add_argument("--snapshots", type=whole(1), metavar="L", help="snapshots a batch (SigMF: 256; .npz: all)")
    parser.add_argument("--batches", type=whole(1), metavar="B", help="batches (SigMF: 100 or all; .npz: all)")
    parser.add_argument("--seed", type=seed, default=0, help="seed of methods that draw (default 0)")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    add_threads_argument(parser)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """CPU threads; one by default, because matrices of eight elements leave the others spinning."""
    parser.add_argument("--threads", type=whole(1, MAX_THREADS), default=1, metavar="K", help="CPU threads (default 1)")
