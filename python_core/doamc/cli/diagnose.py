"""``doamc diagnose``: whether a method's intervals hold what they promise, and how narrow they are."""

import argparse
import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.cli.options import add_threads_argument, check_samples, decibel, whole

if TYPE_CHECKING:
    from doamc.trials.calibration import Case

MOST_SCENES = 100_000
MOST_ROWS = 6  #: cases that a figure has room for


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "diagnose",
        help="are a method's error bars right: ranks, coverage, TARP, sharpness",
        description="Scenes come from the prior of the array; the truth is ranked among the samples of the method (or "
        "placed in the normal distribution of its error bars). Every combination of --sources, --snapshots and "
        "--snr-db is a case.",
    )
    parser.add_argument("--array", required=True, metavar="NAME_OR_TOML", help="array specification (doamc arrays)")
    parser.add_argument("--method", metavar="M", help="method with error bars (default: the most accurate one)")
    parser.add_argument("--sources", nargs="+", type=whole(1), metavar="P", help="default: all of the array, to 3")
    parser.add_argument("--snapshots", nargs="+", type=whole(1), default=[200], metavar="L", help="default 200")
    parser.add_argument("--snr-db", nargs="+", type=decibel, metavar="X",
                        help="SNRs, noise power known (default: the array's range, unknown)")  # fmt: skip
    parser.add_argument("--scenes", type=whole(20, MOST_SCENES), default=1000, metavar="B",
                        help="of each case (default 1000)")  # fmt: skip
    parser.add_argument("--seed", type=whole(0, 2**30), default=0, help="seed (default 0)")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    add_threads_argument(parser)
    parser.add_argument("-o", "--out", nargs="+", default=[], metavar="OUT",
                        help="files to write: .json, and a figure .png, .pdf or .svg")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Try, count, print, write."""
    import torch
    from tqdm import tqdm

    from doamc.estimators.base import DEFAULT_METHOD
    from doamc.spec import load_spec
    from doamc.trials.calibration import PART, calibrate
    from doamc.trials.diagnosis import SCHEMA, diagnose

    spec = load_spec(args.array)
    cases = _cases(args, spec.source_count)
    _check_outputs(args.out, len(cases))
    at_once = min(args.scenes, PART) * spec.n_elements
    check_samples(at_once * max(args.snapshots), f"--snapshots in {PART} scenes at a time")
    torch.set_num_threads(args.threads)
    rows = []
    with tqdm(total=args.scenes * len(cases), unit="scene", disable=None, leave=False) as bar:
        for case in cases:
            trials = calibrate(spec, args.method, case, args.scenes, args.seed, args.device, bar.update)
            rows.append(diagnose(case, trials))
    result = {
        "schema": SCHEMA, "array": spec.name, "method": args.method or DEFAULT_METHOD, "seed": args.seed, "cases": rows,
    }  # fmt: skip
    _print(rows)
    for path in args.out:
        _write(path, result)
    return 0


def _cases(args: argparse.Namespace, source_count: tuple[int, int]) -> "list[Case]":
    from doamc.trials.calibration import Case

    sources = args.sources or list(range(source_count[0], min(3, source_count[1]) + 1))
    levels = [None] if args.snr_db is None else args.snr_db
    return [
        Case(p, length, level, known_noise=level is not None)
        for p, length, level in product(sources, args.snapshots, levels)
    ]


def _check_outputs(paths: list[str], cases: int) -> None:
    from doamc.errors import RecordingError
    from doamc.figures.style import FORMATS
    from doamc.files.atomic import check_output

    for path in paths:
        check_output(path, ".json", *(f".{kind}" for kind in FORMATS))
        if Path(path).suffix.lower() != ".json" and cases > MOST_ROWS:
            raise RecordingError(
                f"expected at most {MOST_ROWS} cases for a figure, found {cases}; ask for fewer, or for .json alone"
            )


def _write(path: str, result: dict[str, Any]) -> None:
    from doamc.figures.diagnosis import draw, size_of
    from doamc.figures.style import draw_figure
    from doamc.files.atomic import whole_file

    if Path(path).suffix.lower() == ".json":
        with whole_file(path) as file:
            file.write(f"{json.dumps(result, indent=1)}\n".encode())
    else:
        draw_figure(path, size_of(result), lambda figure: draw(figure, result))


def _print(rows: list[dict[str, Any]]) -> None:
    """A line a case and group of quantities."""
    print(f"{'P':>2}{'L':>6}{'SNR dB':>8}{'hits':>7}  {'quantities':<11}{'50 %':>7}{'80 %':>7}{'90 %':>7}{'99 %':>7}"
          f"{'p ranks':>9}{'p TARP':>8}{'std/CRB':>9}{'/long':>7}")  # fmt: skip
    for row in rows:
        level = "prior" if row["snr_db"] is None else f"{row['snr_db']:g}"
        head = f"{row['sources']:>2}{row['snapshots']:>6}{level:>8}{row['hits'][0]:>7.3f}"
        sharp = [row["sharpness"][f"std_over_{name}"] for name in ("bound", "limit")]
        bound, limit = ("-" if spread is None else f"{spread[1]:.2f}" for spread in sharp)
        tail = f"{row['tarp']['p_band']:>8.3f}{bound:>9}{limit:>7}"
        for group, shares in row["coverage"].items():
            held = "".join(f"{share[0]:>7.3f}" for share in shares)
            print(f"{head}  {group:<11}{held}{row['p_ranks'][group]:>9.3f}{tail}")
            head, tail = " " * len(head), ""
