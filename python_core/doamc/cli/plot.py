"""``doamc plot``: figures of a log, ready for print."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.options import add_heading_argument

if TYPE_CHECKING:
    from doamc.estimates.truth import Truth

_FIGURES = ("all", "tracks", "sky", "errors", "coupling", "latency", "training")


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "plot",
        help="figures of a log of estimates or of a training",
        description="A log of estimates (doamc monitor --record, doamc publish --record, the block recorder) gives "
        "tracks, sky, errors against truth, coupling and latency; one of a training (beside its checkpoint) curves.",
    )
    parser.add_argument("log", metavar="LOG.jsonl", help="log of estimates or of a training")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="figure to write: .pdf, .svg or .png")
    parser.add_argument("--truth", metavar="FILE", help="truth: .json, .csv, .jsonl or the .sigmf-meta of "
                        "doamc simulate (default: what the log tells)")  # fmt: skip
    add_heading_argument(parser, "that of the estimates")
    parser.add_argument("--azimuth", action="store_true", help="azimuths, even where bearings are known")
    parser.add_argument("--figure", choices=_FIGURES, default="all", help="one kind of figure (default: all)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, draw, write."""
    from doamc.estimates.record import read_records
    from doamc.estimates.truth_files import read_truth
    from doamc.figures.style import check_figure

    check_figure(args.out)
    training = next(read_records(args.log), {}).get("schema") == "doamc.training/1"
    if args.figure == "training" or (training and args.figure == "all"):
        _plot_training(args)
    else:
        _plot_run(args, read_truth(args.truth) if args.truth else None)
    return 0


def _plot_training(args: argparse.Namespace) -> None:
    from doamc.figures.style import draw_figure
    from doamc.figures.training import SIZE, draw
    from doamc.learning.training_log import read_training

    lines = read_training(args.log)
    draw_figure(args.out, SIZE, lambda figure: draw(figure, lines))


def _plot_run(args: argparse.Namespace, truth: "Truth | None") -> None:
    from doamc.figures.page import draw_page, kinds_of, size_of
    from doamc.figures.run import read_run
    from doamc.figures.style import draw_figure
    from doamc.views.convention import Convention

    estimates = read_run(args.log, truth, Convention("math" if args.azimuth else "compass", args.heading))
    kinds = kinds_of(estimates, args.figure)
    draw_figure(args.out, size_of(kinds), lambda figure: draw_page(figure, estimates, kinds))
