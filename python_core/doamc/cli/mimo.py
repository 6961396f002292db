"""``doamc mimo``: paths and couplings of two arrays that sound the channel between them.

Of a file of soundings; without one, of simulated links: what coupling costs beams, and what estimating it gives back.
"""

import argparse
import json
from typing import TYPE_CHECKING, Any

from doamc.cli.options import add_threads_argument, between, check_samples, decibel, seed, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: found and true paths are matched over all orders
MAX_PATHS = 6
_CURVES = {
    "plain": "true paths, C = I",
    "blind": "fitted paths, C = I",
    "coupled": "fitted paths and coupling",
}


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "mimo",
        help="paths, gains and couplings of two arrays from soundings; what the coupling costs their beams",
        description="Paths between two coupled arrays are sounded through analog beams; paths and both couplings are "
        "estimated by block-sparse Bayesian learning and maximum likelihood. Of SOUNDINGS.npz (combiners, beamformers, "
        "received; docs/mimo.md), writes doa_deg, dod_deg, gain, coupling_rx, coupling_tx and more to OUT.npz. Without "
        "it: random links, beams and noise, and the beams that the estimates lead to.",
    )
    parser.add_argument("input", nargs="?", metavar="SOUNDINGS.npz", help="what was sounded (default: simulated links)")
    parser.add_argument("-o", "--out", metavar="OUT.npz", help="where estimates of SOUNDINGS.npz go")
    parser.add_argument("--array", default="ula8", metavar="NAME_OR_TOML", help="array of both ends (default ula8)")
    parser.add_argument("--rx", metavar="NAME_OR_TOML", help="receiving array (default: that of --array)")
    parser.add_argument("--tx", metavar="NAME_OR_TOML", help="transmitting array (default: that of --array)")
    parser.add_argument("--simulate", metavar="SOUNDINGS.npz", help="write simulated soundings there with their truth, "
                        "and nothing else: what such a file looks like")  # fmt: skip
    parser.add_argument("--strength", nargs="+", type=between(0, 10), metavar="X",
                        help="coupling, relative to the priors of the arrays (default 0 0.5 1; "
                        "with --simulate 1)")  # fmt: skip
    parser.add_argument("--directional", type=between(0, 10), default=0.0, metavar="X",
                        help="part of the coupling that turns with direction, relative to its mean; "
                        "above 0 a matrix is estimated for each path (default 0)")  # fmt: skip
    parser.add_argument("--paths", type=whole(1), default=2, metavar="P", help="number of paths (default 2)")
    parser.add_argument("--symbols", type=whole(2), default=64, metavar="T", help="sounding symbols (default 64)")
    parser.add_argument("--subcarriers", type=whole(1), default=4, metavar="S", help="subcarriers (default 4)")
    parser.add_argument("--snr-db", type=decibel, default=20.0, metavar="X",
                        help="of a 0 dB path in one symbol (default 20)")  # fmt: skip
    parser.add_argument("--trials", type=whole(1), default=10, metavar="B", help="links a strength (default 10)")
    parser.add_argument("--grid-deg", type=between(0.1, 90), default=5.0, metavar="X",
                        help="grid of the start (default 5)")  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, help="seed (default 0)")
    add_threads_argument(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--plot", metavar="OUT.png", help="also plot loss and errors over the strength; "
                        "or .pdf, .svg")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sound, estimate, align, print, plot."""
    import torch

    from doamc.cli.mimo_soundings import estimate_soundings, simulate_soundings
    from doamc.errors import SpecificationError
    from doamc.figures.style import check_figure
    from doamc.mimo.channel import Link
    from doamc.mimo.link_end import LinkEnd
    from doamc.spec import load_spec
    from doamc.spec.element import require_isotropic
    from doamc.trials.mimo import align_trials

    _check(args)
    if args.plot:
        check_figure(args.plot)
    torch.set_num_threads(args.threads)
    orders = None if args.directional else 0
    specs = [load_spec(name) for name in (args.rx or args.array, args.tx or args.array)]
    for spec in specs:
        require_isotropic(spec, "doamc mimo")
        if args.directional and spec.directional:
            raise SpecificationError(
                f"array {spec.name} has [coupling.directional], found --directional beside it; leave one of them out"
            )
    ends = [LinkEnd.of(spec) if spec.directional else LinkEnd(spec, orders) for spec in specs]
    for end in ends:
        most = min(end.spec.n_elements - 1, MAX_PATHS)
        if args.paths > most:
            raise SpecificationError(f"number of paths must lie in 1..{most} for {end.spec.name}, found {args.paths}")
    if args.input is not None:
        return estimate_soundings(args, Link(*ends))
    strengths = args.strength or ([1.0] if args.simulate else [0.0, 0.5, 1.0])
    channels = ends[0].spec.n_elements * ends[1].spec.n_elements * args.subcarriers
    symbols = args.symbols * max(args.symbols, args.subcarriers)
    check_samples(args.trials * max(channels, symbols), "--trials, --symbols and --subcarriers")
    if args.simulate:
        return simulate_soundings(args, Link(*ends), strengths[0])
    rows = [
        align_trials(
            Link(*ends), strength, args.directional, args.paths, args.symbols, args.subcarriers,
            args.snr_db, args.trials, args.seed, args.grid_deg,
        )
        for strength in strengths
    ]  # fmt: skip
    setting = {"rx": ends[0].spec.name, "tx": ends[1].spec.name} | {k: getattr(args, k) for k in (
        "directional", "paths", "symbols", "subcarriers", "snr_db", "trials", "seed")}  # fmt: skip
    if args.json:
        print(json.dumps(setting | {"rows": rows}, indent=1))
    else:
        _print(rows)
    if args.plot:
        _plot(args.plot, rows, f"{ends[0].spec.name} to {ends[1].spec.name}, P = {args.paths}, T = {args.symbols}, "
              f"S = {args.subcarriers}, {args.snr_db:g} dB")  # fmt: skip
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raise EstimatorError where options of files and of simulations meet."""
    from doamc.errors import EstimatorError

    if (args.input is None) != (args.out is None):
        here, there = ("-o OUT.npz", "SOUNDINGS.npz") if args.input is None else ("SOUNDINGS.npz", "-o OUT.npz")
        raise EstimatorError(f"expected {there} beside {here}, found none")
    made = args.input or args.simulate
    if made and (args.plot or args.json):
        raise EstimatorError(
            "expected --plot and --json without SOUNDINGS.npz, found both; they are of simulated links"
        )
    if args.input and args.simulate:
        raise EstimatorError("expected SOUNDINGS.npz or --simulate, found both")
    if args.simulate and args.strength and len(args.strength) > 1:
        raise EstimatorError(f"expected one --strength beside --simulate, found {len(args.strength)}")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _print(rows: list[dict[str, Any]]) -> None:
    print(f"{'':>8} {'alignment loss / dB':^26}  {'directions: hits, RMSE / deg':^36}  {'C gain / dB':^13}")
    print(f"{'strength':>8} {'plain':>8} {'blind':>8} {'coupled':>8}  {'blind':>13} {'coupled':>14} {'bound':>7}  "
          f"{'rx':>6} {'tx':>6}")  # fmt: skip
    for r in rows:
        losses = " ".join(f"{_mean(r[f'loss_{name}_db']):8.3f}" for name in _CURVES)
        errors = " ".join(
            f"{r[f'hits_{name}']:6.2f} {_cell(r[f'rmse_{name}_deg'], '.3f'):>7}" for name in ("blind", "coupled")
        )
        bound = _cell(r.get("bound_hits_deg", r["bound_deg"]), ".3f")  # near the horizon that of all has no bound
        gains = " ".join(f"{_cell(r[f'coupling_gain_{end}_db'], '.1f'):>6}" for end in ("rx", "tx"))
        print(f"{r['strength']:8g} {losses}  {errors} {bound:>7}  {gains}")


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _plot(path: str, rows: list[dict[str, Any]], title: str) -> None:
    from doamc.figures.style import BOUND, curve_style, draw_figure, plain_log

    rows = sorted(rows, key=lambda r: r["strength"])
    strength = [r["strength"] for r in rows]

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        for k, (name, label) in enumerate(_CURVES.items()):
            left.plot(strength, [_mean(r[f"loss_{name}_db"]) for r in rows], label=label, **curve_style(k))
            if name != "plain":
                errors = [r[f"rmse_{name}_deg"] or float("nan") for r in rows]
                right.plot(strength, errors, label=label, **curve_style(k))
        right.plot(strength, [r["bound_deg"] for r in rows], **BOUND)
        plain_log(right)
        left.set(xlabel="coupling strength", ylabel="mean beam-alignment loss / dB")
        right.set(xlabel="coupling strength", ylabel="RMSE of directions (hits) / degrees")
        for axes in (left, right):
            axes.legend(frameon=False)
        figure.suptitle(title, fontsize=10)

    draw_figure(path, (7.2, 3.2), draw)
