"""``doamc compare``: methods against each other and the Cramér-Rao bound, by Monte Carlo over the SNR."""

import argparse
import json
import time
from typing import Any

from doamc.cli.cluster_options import add_cluster_arguments, workers_of
from doamc.cli.options import add_threads_argument, check_samples, decibel, seed, whole
from doamc.cli.remarks import tell


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="Monte-Carlo errors of methods beside the bound",
        description="Scenes come from the prior of the array; every method sees the same ones. Times are those of the "
        "processor, on a GPU of the clock.",
    )
    parser.add_argument("array", metavar="NAME_OR_TOML", help="array specification (doamc arrays)")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["music", "ml"],
        metavar="M",
        help="with options as in em:prior=true; all: whatever works here (default music ml)",
    )
    parser.add_argument("--snr-db", nargs="+", type=decibel, default=[-10.0, 0.0, 10.0], metavar="X",
                        help="default -10 0 10")  # fmt: skip
    parser.add_argument("--sources", type=whole(1), default=2, metavar="P", help="number of sources (default 2)")
    parser.add_argument("--snapshots", type=whole(1), default=200, metavar="L", help="snapshots (default 200)")
    parser.add_argument("--trials", type=whole(1), default=100, metavar="B", help="scenes an SNR (default 100)")
    parser.add_argument("--waveform", default="gaussian", help="gaussian (default), qpsk, constant-modulus or coherent")
    parser.add_argument("--seed", type=seed, default=0, help="seed (default 0)")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    add_threads_argument(parser)
    add_cluster_arguments(parser, "0")
    parser.add_argument("-o", "--out", metavar="FOLDER", help="also write compare.json there, and keep every row as it "
                        "is made: interrupted, the same command goes on")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--plot", metavar="OUT.png", help="also plot them over the SNR; or .pdf, .svg")
    parser.add_argument("--elevation", action="append", default=[], metavar="OUT.png|OUT.csv", help="also plot errors "
                        "against elevation, or write them as a table; of arrays with elevations")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, plot."""
    import torch

    from doamc.cli.compare_elevation import check_elevation_output, write_elevation
    from doamc.cli.compare_many import compare_many
    from doamc.cli.compare_plot import plot_comparison
    from doamc.estimators.engine import open_estimator
    from doamc.figures.style import check_figure
    from doamc.spec import load_spec
    from doamc.trials.monte_carlo import compare, usable_methods

    if args.plot:
        check_figure(args.plot)
    torch.set_num_threads(args.threads)
    spec = load_spec(args.array)
    for path in args.elevation:
        check_elevation_output(path, spec)
    check_samples(args.trials * args.snapshots * spec.n_elements, "--trials and --snapshots")
    methods = args.methods
    if methods == ["all"]:
        methods, refused = usable_methods(spec, args.sources, args.snapshots, args.device, args.seed)
        for method, reason in refused.items():
            tell(f"{method} left out: {reason}")
    estimators = [open_estimator(m, spec, args.sources, args.device, args.seed) for m in methods]
    workers = workers_of(args)
    scenes = (args.snr_db, args.sources, args.snapshots, args.trials, args.waveform, args.seed)
    setting = {k: getattr(args, k) for k in ("array", "sources", "snapshots", "trials", "waveform", "seed")}
    failed: list[str] = []
    if workers.processes or workers.scheduler or args.out is not None:
        rows, failed = compare_many(args, spec, methods, workers, setting)
    else:
        clock = time.process_time if args.device == "cpu" else time.perf_counter
        rows = compare(spec, estimators, *scenes, clock)
    if args.json:
        print(json.dumps(setting | {"rows": rows}, indent=1))
    else:
        _print(rows)
    for line in failed:
        tell(f"set aside: {line}")
    title = f"{spec.name}: P = {args.sources}, L = {args.snapshots}, {args.trials} scenes an SNR"
    if args.plot and rows:
        plot_comparison(args.plot, rows, title)
    for path in args.elevation if rows else ():
        write_elevation(path, rows, title)
    return 1 if failed else 0


def _print(rows: list[dict[str, Any]]) -> None:
    wide = max([19, *(len(r["method"]) + 2 for r in rows)])
    print(f"{'method':<{wide}}{'SNR dB':>7}{'hits':>7}{'RMSE deg':>10}{'of hits':>9}{'bound':>8}"
          f"{'C gain dB':>11}{'x0 dB':>8}{'ms':>8}")  # fmt: skip
    for r in rows:
        cells = "".join(
            f"{'-' if r[k] is None else format(r[k], form):>{width}}"
            for k, form, width in (
                ("hits", ".3f", 7), ("rmse_deg", ".3f", 10), ("rmse_hit_deg", ".3f", 9), ("bound_deg", ".3f", 8),
                ("coupling_gain_db", ".1f", 11), ("x0_db", ".1f", 8), ("ms", ".2f", 8),
            )
        )  # fmt: skip
        print(f"{r['method']:<{wide}}{r['snr_db']:>7g}{cells}")
