"""Types of command-line arguments, and arguments that several commands share."""

import argparse
import math
from collections.abc import Callable


def whole(least: int) -> Callable[[str], int]:
    """Type of whole numbers from `least` on."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"expected a whole number >= {least}, found {text!r}")
        return value

    return convert


def positive(text: str) -> float:
    """Type of finite numbers above zero."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number > 0, found {text!r}")
    return value


def number(text: str) -> float:
    """Type of finite numbers."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number, found {text!r}")
    return value


def elements(text: str) -> list[int]:
    """Type of element numbers, ``2,5``."""
    return [whole(0)(part) for part in text.split(",")]


def source_count(text: str) -> int | None:
    """Type of ``P|auto``; auto is None."""
    return None if text == "auto" else whole(1)(text)


def add_estimator_arguments(parser: argparse.ArgumentParser, made: bool = False) -> None:
    """Input, array, method and what goes with them: for ``estimate`` and ``publish``.

    made: the input may also hold estimates that are made already; then no array is needed.
    """
    more = "; or estimates: .jsonl, or a ZMQ address" if made else ""
    inputs = ".npz with 'snapshots' (B, N, L), or a capture: .sigmf-meta, .iq, ..."
    parser.add_argument("input", metavar="INPUT", help=f"{inputs}{more}")
    parser.add_argument("--array", required=not made, metavar="NAME_OR_TOML", help="array specification (doamc arrays)")
    parser.add_argument("--method", metavar="M", help="estimator (doamc methods), with options as in "
                        "em:prior=true,samples=8; default: the most accurate one")
    parser.add_argument(
        "--sources", type=source_count, default=None, metavar="P|auto",
        help="number of sources; auto (default): by evidence or minimum description length, batch by batch",
    )  # fmt: skip
    parser.add_argument("--noise-power", type=positive, metavar="X", help="known noise power per element, linear")
    parser.add_argument("--snapshots", type=whole(1), metavar="L", help="snapshots a batch (SigMF: 256; .npz: all)")
    parser.add_argument("--batches", type=whole(1), metavar="B", help="batches (SigMF: 100 or all; .npz: all)")
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of methods that draw (default 0)")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    add_threads_argument(parser)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """CPU threads; one by default, because matrices of eight elements leave the others spinning."""
    parser.add_argument("--threads", type=whole(1), default=1, metavar="K", help="CPU threads (default 1)")
