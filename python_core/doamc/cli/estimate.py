"""``doamc estimate``: directions and coupling of every batch of a file."""

import argparse
from typing import Any

from doamc.cli.options import add_estimator_arguments


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "estimate",
        help="directions and coupling of an .npz or SigMF file",
        description="Writes doa_deg, doa_std_deg, power_db, coupling, noise_power and n_sources to an .npz file.",
    )
    add_estimator_arguments(parser)
    parser.add_argument("-o", "--out", required=True, metavar="OUT.npz", help="file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Estimate and write; whatever is wrong with the arguments is said before the work begins."""
    import torch

    from doamc.cli.chunks import estimate_input
    from doamc.cli.inputs import open_input
    from doamc.estimators.engine import open_estimator
    from doamc.snapshots.atomic import check_output
    from doamc.snapshots.npz import write_estimates
    from doamc.spec import load_spec

    check_output(args.out)
    torch.set_num_threads(args.threads)
    spec = load_spec(args.array)
    source = open_input(args.input, spec, args.snapshots, args.batches)
    estimator = open_estimator(args.method, spec, args.sources, args.device, args.seed)
    estimates = estimate_input(estimator, source, args.sources, args.noise_power, args.seed)
    write_estimates(args.out, estimates)
    print(f"{args.out}: {source.shape[0]} batches of {source.shape[2]} snapshots, {spec.name}, {estimator.name}")
    return 0
