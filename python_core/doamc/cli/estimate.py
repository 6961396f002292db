"""``doamc estimate``: directions and coupling of every batch of a file."""

import argparse
from typing import TYPE_CHECKING, Any

from doamc.cli.array_of_input import array_of_input
from doamc.cli.capture_options import add_capture_arguments, capture_form
from doamc.cli.doubts import doubts
from doamc.cli.many_inputs import add_many_arguments, asks_for_many
from doamc.cli.options import add_estimator_arguments, add_heading_argument, elements

if TYPE_CHECKING:
    from doamc.estimators.base import Estimator
    from doamc.routes.completed import Completed
    from doamc.spec import ArraySpec


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "estimate",
        help="directions and coupling of .npz or SigMF files",
        description="Of one input: writes doa_deg, doa_std_deg, power_db, coupling, noise_power and n_sources to an "
        ".npz file. Of many, a folder, a pattern or a URL: writes a Parquet file for each into a folder; interrupted, "
        "the same command goes on (docs/scale.md).",
    )
    add_estimator_arguments(parser, many=True)
    add_capture_arguments(parser, "--rate")
    add_heading_argument(parser, "by [mount] of the array; where it is known, bearing_deg is written, too")
    lost = parser.add_argument_group("lost elements", "completed by DDRM; for methods that take the array as uncoupled")
    lost.add_argument("--missing", type=elements, metavar="M,M", help="elements that are dead or not there, from 0; "
                      "the default method is then root-music on a line, else music")  # fmt: skip
    lost.add_argument("--coupling", metavar="EST.npz", help="with --missing: estimates made before, the mean of whose "
                      "coupling is taken to be that of the array (default: none)")  # fmt: skip
    parser.add_argument(
        "-o", "--out", required=True, metavar="OUT", help=".npz file to write; a folder for many inputs"
    )
    add_many_arguments(parser, ["parquet", "npz"])
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Estimate and write; whatever is wrong with the arguments is said before the work begins."""
    if asks_for_many(args):
        from doamc.cli.archive import Work, run_archive
        from doamc.cli.archive_settings import archive_settings

        work = Work("doamc.cli.archive_work", "doamc.cli.archive_results", "batch", "batches")
        return run_archive(args, archive_settings(args), work)
    args.input = args.inputs[0]
    import torch

    from doamc.cli.chunks import estimate_input
    from doamc.cli.inputs import open_input
    from doamc.cli.remarks import warn
    from doamc.errors import EstimatorError
    from doamc.estimates.estimate_file import write_estimates
    from doamc.estimators.engine import open_estimator
    from doamc.estimators.tuned import TunedEstimator, frequency_remark
    from doamc.files.atomic import check_output
    from doamc.routes.completed import live_elements
    from doamc.spec import load_spec

    check_output(args.out, ".npz")
    torch.set_num_threads(args.threads)
    spec = load_spec(array_of_input(args.array, args.input), tunable=True)
    source = open_input(
        args.input, spec, args.snapshots, args.batches, form=capture_form(args), positions=not args.ignore_positions
    )
    if args.coupling and not args.missing:
        raise EstimatorError("expected --missing beside --coupling, found none; other methods estimate the coupling")

    def make(spec: "ArraySpec") -> "Estimator":
        if args.missing:
            return _completed(args, spec)
        return open_estimator(args.method, spec, args.sources, args.device, args.seed)

    tuned = TunedEstimator(spec, make)
    estimator = tuned.at(source.frequency_of(0))
    warn([*source.remarks, frequency_remark(spec, () if source.frequency_hz is None else source.frequency_hz)])
    if args.missing:
        source = source.keep(live_elements(spec, args.missing))
    estimates = estimate_input(tuned, source, args.sources, args.noise_power, args.seed)
    heading = spec.heading_deg if args.heading is None else args.heading
    write_estimates(args.out, estimates, source.channels, heading)
    made = f"{source.shape[0]} batches of {source.shape[2]} snapshots"
    print(f"{args.out}: {made}, {estimator.spec.name}, {estimator.name}{doubts(estimates, estimator, source.channels)}")
    return 0


def _completed(args: argparse.Namespace, spec: "ArraySpec") -> "Completed":
    import torch

    from doamc.estimators.engine import open_estimator
    from doamc.routes.completed import Completed, default_finish
    from doamc.snapshots.npz import read_coupling

    finish = open_estimator(args.method or default_finish(spec), spec, args.sources, args.device, args.seed)
    coupling = torch.from_numpy(read_coupling(args.coupling, spec.n_elements)) if args.coupling else None
    return Completed(finish, args.missing, coupling, args.seed)
