"""Self-calibration over time: bearing error and coupling error while emitters move, and after the coupling has jumped.

The coupling lies outside the array's family: a draw from it plus a random complex-symmetric matrix, orthogonal to the
nearest symmetric Toeplitz band, of -15 dB of its power. Two emitters of 0 to -6 dB move by 5 to 15 degrees a second,
8 degrees apart at least; ten batches of L = 256 a second of signal. At --jump the coupling is drawn anew.

Then, for the first array, drift: what is outside the family becomes something else within 60 s.

Tells and draws RMSE and NMSE against time for method self-calibrating, beside method posterior on the same batches,
which knows the array's family only and forgets. "start" is the first second, "end" the last ten seconds before the
jump, "recovered" the last five seconds of the twenty after it.

    .venv/bin/python benchmarks/selfcal.py [--arrays ula8 dipole8] [--runs 3] [--snr-db 15]
"""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from command import add_workers, done_by, make_parser, write_result

from doamc.arrays.steering import steering
from doamc.cluster import Workers, open_executor
from doamc.estimators import make_estimator
from doamc.snapshots import make_batch
from doamc.spec import ArraySpec, load_spec

RATE, LENGTH, OUTSIDE_DB = 10, 256, -15.0
COMPARED = 10  #: one batch in so many is estimated by `posterior`, too


def band(n: int) -> torch.Tensor:
    """Real basis (4, N, N) of symmetric Toeplitz bands over two lags."""
    lag = (torch.arange(n)[:, None] - torch.arange(n)).abs()
    unit = torch.stack([(lag == k).to(torch.complex128) for k in (1, 2)])
    return torch.cat([unit, 1j * unit])


@dataclass(frozen=True)
class Array:
    """theta: (1, K) of the member of the family that the array nearly is. extra: (N, N), what is outside the family."""

    spec: ArraySpec
    theta: torch.Tensor
    extra: torch.Tensor

    @property
    def coupling(self) -> torch.Tensor:
        """Coupling matrix (N, N), mean diagonal 1."""
        c = self.spec.family.matrix(self.theta)[0] + self.extra
        return c / c.diagonal().mean()

    def response(self, azimuth: torch.Tensor) -> torch.Tensor:
        """What is received of each source, (N, P)."""
        plain = steering(self.spec.positions, azimuth).to(torch.complex128)
        return self.spec.family.response(self.theta, self.spec.positions, azimuth[None])[0] + self.extra @ plain


def outside(spec: ArraySpec, generator: torch.Generator) -> Array:
    """An array whose coupling is a member of the family and, besides, complex-symmetric `OUTSIDE_DB` away from it."""
    n = spec.n_elements
    theta = spec.family.draw((1,), generator)
    e = torch.view_as_complex(torch.randn(n, n, 2, generator=generator, dtype=torch.float64)).tril()
    e = e + e.tril(-1).T
    e = e - e.diagonal().mean() * torch.eye(n)
    flat = torch.view_as_real(band(n)).flatten(1)
    rest = torch.view_as_real(e.contiguous()).flatten()
    rest = rest - flat.T @ torch.linalg.solve(flat @ flat.T, flat @ rest)
    e = torch.view_as_complex(rest.unflatten(0, (n, n, 2)))
    share, power = 10 ** (OUTSIDE_DB / 10), spec.family.matrix(theta).abs().square().sum()
    return Array(spec, theta, e * (share / (1 - share) * power / e.abs().square().sum()).sqrt())


def bearings(time_s: float, turn: float) -> torch.Tensor:
    """Azimuths (2,) in rad, ascending: a pair that swings over the sector while its opening changes."""
    middle = 25 * math.sin(2 * math.pi * time_s / 29 + turn)
    half = 19 + 14 * math.sin(2 * math.pi * time_s / 13 + 2 * turn)
    return torch.tensor([middle - half, middle + half], dtype=torch.float64).deg2rad()


def snapshots(array: Array, azimuth: torch.Tensor, snr_db: float, generator: torch.Generator) -> torch.Tensor:
    """One batch (1, N, L)."""
    p, n = len(azimuth), array.spec.n_elements
    z = torch.view_as_complex(torch.randn(p + n, LENGTH, 2, generator=generator, dtype=torch.float64)) / math.sqrt(2)
    power = 10 ** (-0.6 * torch.rand(p, generator=generator, dtype=torch.float64))
    clean = array.response(azimuth) @ (power.sqrt()[:, None] * z[:p])
    return (clean + 10 ** (-snr_db / 20) * z[p:])[None]


def one_run(task: list) -> dict:
    """Squared errors in deg^2 per batch, NMSE of the coupling, times of changes, for one array that moves on.

    task: array, seed, SNR in dB, s of the jump and of the end.
    """
    name, seed, snr_db, jump_s, end_s = task
    torch.set_num_threads(1)
    spec = load_spec(name)
    generator = torch.Generator().manual_seed(seed)
    array = outside(spec, generator)
    method = make_estimator("self-calibrating", spec)
    try:
        other = make_estimator("posterior", spec)
    except Exception as error:  # an array whose weights are not trained
        print(f"posterior left out: {error}")
        other = None
    out: dict = {"error": [], "nmse": [], "other_error": [], "other_nmse": [], "changes": []}
    spent, slowest, changes = 0.0, 0.0, 0
    for k in range(round(end_s * RATE)):
        if k == round(jump_s * RATE):
            array = outside(spec, generator)
        azimuth, coupling = bearings(k / RATE, seed), array.coupling
        batch = make_batch(snapshots(array, azimuth, snr_db, generator))
        begin = time.process_time()
        e = method(batch, 2)
        took = time.process_time() - begin
        spent, slowest = spent + took, max(slowest, took)
        out["error"].append(float((e.azimuth[0] - azimuth).rad2deg().square().mean()))
        out["nmse"].append(float((e.coupling[0] - coupling).abs().square().sum() / coupling.abs().square().sum()))
        if method.tracker.changes > changes:
            changes = method.tracker.changes
            out["changes"].append(k / RATE)
        if other is not None and k % COMPARED == 0:
            e = other(batch, 2)
            out["other_error"].append(float((e.azimuth[0] - azimuth).rad2deg().square().mean()))
            out["other_nmse"].append(
                float((e.coupling[0] - coupling).abs().square().sum() / coupling.abs().square().sum())
            )
    return out | {"batches_per_s": len(out["error"]) / spent, "slowest_s": slowest}


def drift_run(task: list) -> dict:
    """An array whose part outside the family becomes another one from 30 s to 90 s: errors before and meanwhile.

    task: array, seed, SNR in dB.
    """
    name, seed, snr_db = task
    torch.set_num_threads(1)
    spec = load_spec(name)
    generator = torch.Generator().manual_seed(seed)
    array, other = outside(spec, generator), outside(spec, generator)
    method, error = make_estimator("self-calibrating", spec), []
    for k in range(90 * RATE):
        share = max(0.0, k / RATE - 30) / 60
        moved = Array(spec, array.theta, (1 - share) * array.extra + share * other.extra)
        azimuth = bearings(k / RATE, seed)
        e = method(make_batch(snapshots(moved, azimuth, snr_db, generator)), 2)
        error.append(float((e.azimuth[0] - azimuth).rad2deg().square().mean()))
    parts = {"start": error[:RATE], "20_to_30_s": error[20 * RATE : 30 * RATE], "drifting": error[30 * RATE :]}
    return {f"rmse_deg_{k}": rms(torch.tensor(v)) for k, v in parts.items()} | {"changes": method.tracker.changes}


def rms(values: torch.Tensor) -> float:
    """Root of the mean of squares."""
    return round(float(values.mean().sqrt()), 4)


def decibel(values: torch.Tensor) -> float:
    """Mean of ratios, in dB."""
    return round(float(10 * values.mean().log10()), 1)


def judge(runs: list[dict], jump_s: float) -> dict:
    """The errors of one array, by part of the run and by second."""
    error, nmse = (torch.tensor([r[k] for r in runs], dtype=torch.float64) for k in ("error", "nmse"))
    jump = round(jump_s * RATE)
    spans = {
        "start": slice(0, RATE), "end": slice(jump - 10 * RATE, jump), "after_jump": slice(jump, jump + RATE),
        "recovered": slice(jump + 15 * RATE, jump + 20 * RATE),
    }  # fmt: skip
    out: dict = {}
    for name, span in spans.items():
        out[f"rmse_deg_{name}"] = rms(error[:, span])
        out[f"nmse_db_{name}"] = decibel(nmse[:, span])
    out["times_better"] = round(out["rmse_deg_start"] / out["rmse_deg_end"], 2)
    out["nmse_gain_db"] = round(out["nmse_db_start"] - out["nmse_db_end"], 1)
    if runs[0]["other_error"]:
        out["rmse_deg_posterior"] = rms(torch.tensor([r["other_error"] for r in runs]))
        out["nmse_db_posterior"] = decibel(torch.tensor([r["other_nmse"] for r in runs]))
    out["changes_s"] = [r["changes"] for r in runs]
    out["batches_per_s"] = round(sum(r["batches_per_s"] for r in runs) / len(runs), 1)
    out["slowest_batch_s"] = round(max(r["slowest_s"] for r in runs), 2)
    second = error.unflatten(1, (-1, RATE)).mean((0, 2)).sqrt()
    level = 10 * nmse.unflatten(1, (-1, RATE)).mean((0, 2)).log10()
    out["rmse_deg_by_second"] = [round(float(v), 4) for v in second]
    out["nmse_db_by_second"] = [round(float(v), 2) for v in level]
    return out


def draw(result: dict, path: Path) -> None:
    """RMSE and NMSE against time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    arrays = list(result["arrays"])
    figure, axes = pyplot.subplots(2, len(arrays), figsize=(4.6 * len(arrays), 5.2), sharex=True, squeeze=False)
    for column, name in zip(axes.T, arrays, strict=True):
        r = result["arrays"][name]
        seconds = [k + 0.5 for k in range(len(r["rmse_deg_by_second"]))]
        pairs = ("rmse_deg", "RMSE of bearings / deg"), ("nmse_db", "NMSE of the coupling / dB")
        for axis, (key, label) in zip(column, pairs, strict=True):
            axis.plot(seconds, r[f"{key}_by_second"], color="C0", label="self-calibrating")
            if f"{key}_posterior" in r:
                axis.axhline(r[f"{key}_posterior"], color="C1", ls="--", label="posterior, batch by batch")
            axis.axvline(result["jump_s"], color="0.6", lw=0.8)
            axis.set_ylabel(label)
            axis.grid(alpha=0.3)
        column[0].set_yscale("log")
        column[0].set_title(name)
        column[0].legend(fontsize=8)
        column[1].set_xlabel("signal / s; the coupling jumps at the line")
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main() -> None:
    """Run, write and draw."""
    parser = make_parser(__doc__)
    parser.add_argument("--arrays", nargs="+", default=["ula8", "dipole8"])
    parser.add_argument("--runs", type=int, default=3, help="arrays drawn of each kind (%(default)s)")
    parser.add_argument("--snr-db", type=float, default=15.0)
    parser.add_argument("--jump", type=float, default=60.0, help="s; ten at least (%(default)g)")
    parser.add_argument("--end", type=float, default=80.0, help="s; twenty after the jump at least (%(default)g)")
    add_workers(parser)
    parser.add_argument("--plot", type=Path, help="default: docs/images/self-calibration.png; with --quick none")
    args = parser.parse_args()
    if args.quick:
        args.arrays, args.runs, args.jump, args.end = ["ula8"], 1, 10.0, 30.0
    torch.set_num_threads(1)
    result: dict = {
        "snapshots": LENGTH, "batches_per_s_of_signal": RATE, "snr_db": args.snr_db, "outside_db": OUTSIDE_DB,
        "runs": args.runs, "jump_s": args.jump, "arrays": {},
    }  # fmt: skip
    with open_executor(Workers(args.workers)) as executor:
        tasks = [[name, seed, args.snr_db, args.jump, args.end] for name in args.arrays for seed in range(args.runs)]
        runs = done_by(executor, "selfcal:one_run", tasks)
        for k, name in enumerate(args.arrays):
            told = result["arrays"][name] = judge(runs[k * args.runs : (k + 1) * args.runs], args.jump)
            print(name, json.dumps({k: v for k, v in told.items() if "by_second" not in k}), flush=True)
        if not args.quick:
            first = args.arrays[0]
            drifts = done_by(executor, "selfcal:drift_run", [[first, seed, args.snr_db] for seed in range(2)])
            result["drift"] = {first: drifts}
    write_result(__file__, args, result)
    images = Path(__file__).resolve().parents[1] / "docs" / "images"
    picture = args.plot or (None if args.quick else images / "self-calibration.png")
    if picture is not None:
        draw(result, picture)


if __name__ == "__main__":
    main()
