"""Accuracy of every method over the SNR, beside the Cramér-Rao bound and the Bayes limit.

The limit is the median of long Metropolis chains that start at the truth (exact likelihood, prior of the array), the
best that any method can do on such scenes. Writes a table and draws it.

    .venv/bin/python benchmarks/accuracy.py [--trials 100] [--workers N] [--plot FILE.png]
"""

import json
from pathlib import Path
from typing import Any

import torch
from command import add_workers, done_by, make_parser, write_result
from tqdm import tqdm

from doamc.cluster import Executor, Workers, open_executor
from doamc.errors import ClusterError
from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.report.summary import summarise
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.scenes import draw_scene, receive
from doamc.scenes.accuracy import HIT_DEG, azimuth_error, coupling_gain_db, is_hit
from doamc.snapshots import make_batch
from doamc.spec import ArraySpec, load_spec
from doamc.trials.bayes_limit import samples_from_truth
from doamc.trials.sweep import compare_on

MAIN = ["bartlett", "music", "rare", "ml", "map", "posterior"]
OTHERS = ["capon", "root-music", "esprit", "fit", "comet", "em", "sbl", "vae", "coupling-diffusion", "ddim-snapshot"]
CASES = [  # array, P, L, methods
    ("ula8", 2, 200, OTHERS + MAIN),
    ("ula8", 2, 20, MAIN),
    ("ula8", 3, 200, MAIN),
    ("uca5", 2, 200, MAIN),
]
SNR_DB = [-10.0, -5.0, 0.0, 5.0, 10.0, 20.0]
COLOURS = {
    "posterior": "#d62728", "map": "#2ca02c", "ml": "#9467bd", "rare": "#8c564b", "music": "#ff7f0e",
    "bartlett": "#7f7f7f",
}  # fmt: skip


def limit_row(
    spec: ArraySpec, n_sources: int, n_snapshots: int, snr_db: float, trials: int, seed: int, steps: int = 2000
) -> dict[str, Any]:
    """Hits, RMSE and coupling gain of the Bayes limit on the scenes that `compare` draws."""
    generator = torch.Generator().manual_seed(seed)
    scene = draw_scene(spec, trials, n_sources, snr_db, generator)
    batch = make_batch(receive(scene, n_snapshots, "gaussian", generator).snapshots)
    coordinates = make_coordinates(spec, n_sources, True, spec.noise_db)
    posterior = ExactPosterior(coordinates, batch.covariance, torch.full((trials,), float(n_snapshots)), None)
    chains = MetropolisChains(24, coordinates.size, steps, (1.8, 0.9), (1.0, 0.5), 17, torch.device("cpu"))
    s = summarise(samples_from_truth(posterior, scene, chains.tables, steps // 2, 10), coordinates)
    error = azimuth_error(scene.azimuth, s.azimuth, spec.full_circle)
    hit, error = is_hit(error), error.rad2deg()
    return {
        "method": "Bayes limit", "snr_db": snr_db, "hits": hit.double().mean().item(),
        "rmse_deg": error.square().mean().sqrt().item(), "rmse_hit_deg": error[hit].square().mean().sqrt().item(),
        "coupling_gain_db": coupling_gain_db(scene.coupling, spec.family.matrix(s.theta)),
    }  # fmt: skip


def limit_task(task: list[Any]) -> dict[str, Any]:
    """A row of the limit, where a worker makes it."""
    array, *others = task
    return limit_row(load_spec(array), *others)


def run_case(
    executor: Executor,
    array: str,
    n_sources: int,
    n_snapshots: int,
    methods: list[str],
    trials: int,
    snr_db: list[float],
) -> dict[str, Any]:
    """Rows of one case."""
    rows, failed = compare_on(executor, array, methods, snr_db, n_sources, n_snapshots, trials, seed=5)
    if failed:
        raise ClusterError(failed[0])
    rows += done_by(executor, "accuracy:limit_task", [[array, n_sources, n_snapshots, x, trials, 5] for x in snr_db])
    return {"array": array, "sources": n_sources, "snapshots": n_snapshots, "trials": trials, "rows": rows}


def plot(cases: list[dict[str, Any]], path: str) -> None:
    """Hits above, RMSE of hits below, one column a case."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    size = (3.6 * len(cases), 6.4)
    figure, axes = plt.subplots(2, len(cases), figsize=size, sharex=True, sharey="row", squeeze=False)
    for column, case in enumerate(cases):
        top, low = axes[:, column]
        top.set_title(f"{case['array']}, P = {case['sources']}, L = {case['snapshots']}", fontsize=10)
        methods = list(dict.fromkeys(r["method"] for r in case["rows"]))
        for method in sorted(methods, key=lambda m: m in COLOURS):
            rows = [r for r in case["rows"] if r["method"] == method]
            x = [r["snr_db"] for r in rows]
            if method == "Bayes limit":
                style = {"color": "black", "linestyle": "--", "linewidth": 1.6, "zorder": 5}
            elif method in COLOURS:
                style = {"color": COLOURS[method], "marker": "o", "markersize": 3, "linewidth": 1.3}
            else:
                style = {"color": "0.8", "linewidth": 0.8}
            shown = method in COLOURS or method == "Bayes limit"
            top.plot(x, [r["hits"] for r in rows], label=method if shown else None, **style)
            low.semilogy(x, [r["rmse_hit_deg"] or float("nan") for r in rows], **style)
        first = [r for r in case["rows"] if r["method"] == methods[0]]
        low.semilogy([r["snr_db"] for r in first], [r["bound_deg"] for r in first], ":", color="black", label="CRB")
        low.set_xlabel("SNR (dB)")
        low.set_ylim(0.02, 2.0)
        for axis in (top, low):
            axis.grid(alpha=0.3, which="both", linewidth=0.4)
    axes[0, 0].set_ylabel(f"share of scenes within {HIT_DEG:g}°")
    axes[1, 0].set_ylabel("RMSE of hits (°)")
    axes[1, 0].legend(loc="lower left", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=9, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run, write and draw."""
    parser = make_parser(__doc__)
    parser.add_argument("--trials", type=int, default=100, help="scenes of each case and SNR (%(default)s)")
    add_workers(parser)
    parser.add_argument("--plot", type=Path, help="picture (default: docs/images/accuracy.png; with --quick none)")
    parser.add_argument("--drawn-only", action="store_true", help="draw what the file holds, and measure nothing")
    args = parser.parse_args()
    torch.set_num_threads(1)
    root = Path(__file__).resolve().parents[1]
    if args.drawn_only:
        cases = json.loads((args.out or Path(__file__).with_suffix(".json")).read_text())["cases"]
    else:
        chosen = [("ula8", 2, 20, ["music", "posterior"])] if args.quick else CASES
        trials, snr_db = (4, [10.0]) if args.quick else (args.trials, SNR_DB)
        with open_executor(Workers(args.workers)) as executor:
            cases = [run_case(executor, *case, trials, snr_db) for case in tqdm(chosen, disable=None)]
        write_result(__file__, args, {"cases": cases})
    picture = args.plot or (None if args.quick else root / "docs" / "images" / "accuracy.png")
    if picture is not None:
        plot(cases, str(picture))


if __name__ == "__main__":
    main()
