"""``doamc compare``: methods against each other and the Cramér-Rao bound, by Monte Carlo over the SNR."""

import argparse
import json
from typing import Any

from doamc.cli.options import add_threads_argument, number, whole


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="Monte-Carlo errors of methods beside the bound",
        description="Scenes come from the prior of the array; every method sees the same ones.",
    )
    parser.add_argument("array", metavar="NAME_OR_TOML", help="array specification (doamc arrays)")
    parser.add_argument("--methods", nargs="+", default=["music", "ml"], metavar="M", help="default music ml")
    parser.add_argument("--snr-db", nargs="+", type=number, default=[-10.0, 0.0, 10.0], metavar="X",
                        help="default -10 0 10")  # fmt: skip
    parser.add_argument("--sources", type=whole(1), default=2, metavar="P", help="number of sources (default 2)")
    parser.add_argument("--snapshots", type=whole(1), default=200, metavar="L", help="snapshots (default 200)")
    parser.add_argument("--trials", type=whole(1), default=100, metavar="B", help="scenes an SNR (default 100)")
    parser.add_argument("--waveform", default="gaussian", help="gaussian, qpsk, constant-modulus or coherent")
    parser.add_argument("--seed", type=whole(0), default=0, help="seed (default 0)")
    parser.add_argument("--device", default="cpu", metavar="D", help="torch device (default cpu)")
    add_threads_argument(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--plot", metavar="OUT.png", help="also plot RMSE and hits over the SNR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, plot."""
    import torch

    from doamc.cli.montecarlo import compare
    from doamc.estimators.engine import open_estimator
    from doamc.snapshots.atomic import check_output
    from doamc.spec import load_spec

    if args.plot:
        check_output(args.plot)
    torch.set_num_threads(args.threads)
    spec = load_spec(args.array)
    estimators = [open_estimator(m, spec, args.sources, args.device, args.seed) for m in args.methods]
    rows = compare(
        spec, estimators, args.snr_db, args.sources, args.snapshots, args.trials, args.waveform, args.seed
    )
    setting = {k: getattr(args, k) for k in ("array", "sources", "snapshots", "trials", "waveform", "seed")}
    if args.json:
        print(json.dumps(setting | {"rows": rows}, indent=1))
    else:
        _print(rows)
    if args.plot:
        _plot(args.plot, rows, f"{spec.name}, P = {args.sources}, L = {args.snapshots}")
    return 0


def _print(rows: list[dict[str, Any]]) -> None:
    print(f"{'method':<19}{'SNR dB':>7}{'hits':>7}{'RMSE deg':>10}{'of hits':>9}{'bound':>8}{'C gain dB':>11}{'ms':>8}")
    for r in rows:
        figures = "".join(
            f"{'-' if r[k] is None else format(r[k], form):>{width}}"
            for k, form, width in (
                ("hits", ".3f", 7), ("rmse_deg", ".3f", 10), ("rmse_hit_deg", ".3f", 9), ("bound_deg", ".3f", 8),
                ("coupling_gain_db", ".1f", 11), ("ms", ".2f", 8),
            )
        )  # fmt: skip
        print(f"{r['method']:<19}{r['snr_db']:>7g}{figures}")


def _plot(path: str, rows: list[dict[str, Any]], title: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from doamc.snapshots.atomic import whole_file

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for method in dict.fromkeys(r["method"] for r in rows):
        mine = [r for r in rows if r["method"] == method]
        snr = [r["snr_db"] for r in mine]
        left.semilogy(snr, [r["rmse_hit_deg"] or float("nan") for r in mine], "o-", label=method)
        right.plot(snr, [r["hits"] for r in mine], "o-", label=method)
    bound = {r["snr_db"]: r["bound_deg"] for r in rows}
    left.semilogy(list(bound), list(bound.values()), "k--", label="Cramér-Rao bound")
    left.set(xlabel="SNR / dB", ylabel="RMSE of hits / degrees")
    right.set(xlabel="SNR / dB", ylabel="all sources within 2 degrees", ylim=(-0.02, 1.02))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(title)
    with whole_file(path) as file:
        FigureCanvasAgg(figure).print_png(file)
