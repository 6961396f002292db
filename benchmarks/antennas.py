"""Captures of antennas built anew, by NEC2: method ``posterior`` with a drawn prior beside the Cramér-Rao bound.

Every batch is another array, drawn from [antenna.draws] with seeds of its own, and its waves are solved directly at
their azimuths, without the extended matrix that the prior is made of. The bound knows the response exactly. Errors
beyond 10 deg are counted as misses and left out of the RMSE. Whether intervals hold is also pooled over all cases of an
array, builders as often rough as the prior expects: half of the arrays here are rough.

    .venv/bin/python benchmarks/antennas.py [--arrays dipole8 dipole8wide@200e6] [--batches 48] [--weights FOLDER]
"""

import json
import math
import os
from dataclasses import replace

import numpy as np
import torch
from command import make_parser, write_result
from tqdm import tqdm

from doamc.angles import wrap_rad
from doamc.antenna.draws import draw_built
from doamc.antenna.response import coupling_matrix, embedded_response, scale_to, solve_built, steering_vectors
from doamc.antenna.site import Site, load_site
from doamc.estimators import make_estimator
from doamc.estimators.intervals import NORMAL_90
from doamc.scenes.prior import draw_azimuth
from doamc.snapshots import make_batch
from doamc.spec import load_spec

CASES = [(1, 5.0), (1, -5.0), (2, 15.0), (2, 5.0), (2, 0.0), (3, 10.0)]  #: sources, SNR in dB
ARRAYS = ["dipole8", "kraken5", "dipole8wide@150e6", "dipole8wide@210e6", "dipole8wide@270e6"]
SNAPSHOTS = 256
RESAMPLED = (
    4000  #: times that arrays are drawn again, for the interval of a share that all sources of one have in common
)
MISS_DEG = 10.0


class BuiltScene:
    """One array, its sources and what it receives.

    response: (N, P) at the true azimuths; slope: its derivative per rad.
    """

    def __init__(
        self, site: Site, azimuth: np.ndarray, snr_db: float, rng: np.random.Generator, frequency: float = 1.0
    ) -> None:
        self.azimuth, self.rough = azimuth, bool(rng.random() < site.antenna.draws.rough_share)
        built, gains, own = draw_built(site.antenna, site.positions, rng, self.rough)
        built, frequency = built.scaled(frequency, site.antenna.tuned), frequency * own
        step = 0.05
        solved = [
            solve_built(site.antenna, built, np.rad2deg(az) + step * np.array([-1.0, 0.0, 1.0]), frequency)
            for az in azimuth
        ]
        c = coupling_matrix(solved[0], built.load)
        v = [embedded_response(ports, built.load) for ports in solved]
        true = steering_vectors(built.positions, np.rad2deg(azimuth))
        scale = scale_to(np.stack([x[:, 1] for x in v], 1), c @ true)[0]
        total = scale * len(c) / np.trace(gains[:, None] * c) * gains[:, None]
        self.coupling = gains[:, None] * c * len(c) / np.trace(gains[:, None] * c)
        self.response = total * np.stack([x[:, 1] for x in v], 1)
        self.slope = total * np.stack([(x[:, 2] - x[:, 0]) / np.deg2rad(2 * step) for x in v], 1)
        self.power = 10 ** (rng.uniform(-6, 0, len(azimuth)) / 10)
        self.noise = 10 ** (-snr_db / 10)
        shape = (len(azimuth) + len(c), SNAPSHOTS)
        z = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / math.sqrt(2)
        signal = np.sqrt(self.power)[:, None] * z[: len(azimuth)]
        self.snapshots = self.response @ signal + math.sqrt(self.noise) * z[len(azimuth) :]

    def bound(self) -> np.ndarray:
        """Variances (P,) of the azimuths, rad^2: powers and noise unknown, response known (Slepian-Bangs)."""
        v, d, p = self.response, self.slope, self.power
        r = (v * p) @ v.conj().T + self.noise * np.eye(len(v))
        turn = [p[k] * (np.outer(d[:, k], v[:, k].conj()) + np.outer(v[:, k], d[:, k].conj())) for k in range(len(p))]
        derivatives = [*turn, *(np.outer(x, x.conj()) for x in v.T), np.eye(len(v))]
        white = [np.linalg.solve(r, x) for x in derivatives]
        f = SNAPSHOTS * np.array([[np.trace(x @ y).real for y in white] for x in white])
        return np.diag(np.linalg.inv(f))[: len(p)]


def scores(errors: np.ndarray, bounds: np.ndarray, nmse_db: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """What one case comes to; errors and bounds (B, P) in deg and deg^2."""
    hit = (np.abs(errors) < MISS_DEG).all(1)
    return {
        "batches": len(errors),
        "misses": int((~hit).sum()),
        "rmse_deg": round(float(np.sqrt((errors[hit] ** 2).mean())), 3),
        "median_deg": round(float(np.median(np.abs(errors[hit]))), 3),
        "bound_deg": round(float(np.sqrt(bounds[hit].mean())), 3),
        "coupling_nmse_db": round(float(np.median(nmse_db)), 1),
        "inside_90": round(float(inside[hit].mean()), 3),
    }


def pooled(inside: list[np.ndarray], rough: np.ndarray, rough_share: float) -> dict[str, float | list[float]]:
    """Share of truths in their 90 % intervals, every array counted once and every truth once, with 95 % intervals.

    inside: of each array whether the intervals of its sources hold. rough: (M,) bool, which of them count as many as
    `rough_share` of all says. Sources of one array err together: arrays are drawn again as a whole, of each kind.
    """
    held, count = np.array([x.sum() for x in inside]), np.array([len(x) for x in inside])
    rng, kinds = np.random.default_rng(0), ((rough, rough_share), (~rough, 1 - rough_share))
    drawn = np.zeros((2, 2, RESAMPLED + 1))  # [by array, by truth][of held, of all]; the first is the sample itself
    for kind, share in kinds:
        places = kind.nonzero()[0]
        again = rng.choice(places, (RESAMPLED, len(places)))
        again = np.concatenate([places[None], again])
        drawn[0] += share * np.stack([(held / count)[again].mean(1), np.ones(RESAMPLED + 1)])
        drawn[1] += share * np.stack([held[again].mean(1), count[again].mean(1)])
    out: dict[str, float | list[float]] = {"arrays": len(inside), "truths": int(count.sum())}
    for name, (above, below) in zip(("arrays", "truths"), drawn, strict=True):
        found, low, high = (above / below)[0], *np.quantile((above / below)[1:], [0.025, 0.975])
        out[f"held_by_{name}"] = [round(float(v), 3) for v in (found, low, high)]
    return out


def run_case(
    array: str, n_sources: int, snr_db: float, batches: int
) -> tuple[dict[str, dict[str, float]], np.ndarray, np.ndarray]:
    """Scores of careful and rough builders apart, half of the batches each; which truths are held, which are rough."""
    spec, site = load_spec(array), load_site(array.partition("@")[0])
    azimuth = draw_azimuth(spec, batches, n_sources, torch.Generator().manual_seed(990_017)).numpy()
    captures = []
    for i, az in enumerate(azimuth):
        share = replace(site.antenna.draws, rough_share=float(i % 2))
        one = replace(site, antenna=replace(site.antenna, draws=share))
        rng = np.random.default_rng((990_021, n_sources, round(snr_db) + 99, i))
        captures.append(BuiltScene(one, az, snr_db, rng, spec.frequency))
    batch = make_batch(torch.from_numpy(np.stack([c.snapshots for c in captures])))
    e = make_estimator("posterior", array).estimate(batch, n_sources)
    error = e.azimuth.numpy() - azimuth
    if spec.full_circle:
        turned = [np.roll(e.azimuth.numpy(), s, 1) - azimuth for s in range(n_sources)]
        turned = [wrap_rad(x) for x in turned]
        best = np.argmin([(x**2).sum(1) for x in turned], 0)
        error = np.stack(turned, 1)[np.arange(batches), best]
        std = np.stack([np.roll(e.std.numpy(), s, 1) for s in range(n_sources)], 1)[np.arange(batches), best]
    else:
        std = e.std.numpy()
    c = np.stack([x.coupling for x in captures])
    away = np.linalg.norm(e.coupling.numpy() - c, axis=(1, 2)) / np.linalg.norm(c, axis=(1, 2))
    bound = np.rad2deg(np.rad2deg(np.stack([x.bound() for x in captures])))
    rough = np.array([x.rough for x in captures])
    inside = np.abs(error) < NORMAL_90 * std
    row = {
        kind: scores(np.rad2deg(error)[k], bound[k], 20 * np.log10(away[k]), inside[k])
        for kind, k in (("careful", ~rough), ("rough", rough))
    }
    return row, inside, rough


def main() -> None:
    """Run and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--arrays", nargs="+", default=ARRAYS)
    parser.add_argument("--batches", type=int, default=48, help="arrays built for each case (%(default)s)")
    parser.add_argument("--weights", help="folder of checkpoints to use instead of the shipped ones")
    args = parser.parse_args()
    if args.weights:
        os.environ["DOAMC_WEIGHTS"] = args.weights
    torch.set_num_threads(1)
    arrays, cases, batches = (ARRAYS[:1], CASES[:1], 4) if args.quick else (args.arrays, CASES, args.batches)
    result: dict = {"snapshots": SNAPSHOTS}
    for array in arrays:
        most = load_spec(array).source_count[1]
        result[array], inside, rough = {}, [], []
        for n_sources, snr_db in tqdm([c for c in cases if c[0] <= most], desc=array, disable=None):
            row, held, kind = run_case(array, n_sources, snr_db, batches)
            inside += list(held)
            rough.append(kind)
            result[array][f"P{n_sources} {snr_db:+g}dB"] = row
            print(array, n_sources, snr_db, json.dumps(row), flush=True)
        share = load_site(array.partition("@")[0]).antenna.draws.rough_share
        result[array]["pooled"] = pooled(inside, np.concatenate(rough), share)
        print(array, json.dumps(result[array]["pooled"]), flush=True)
    write_result(__file__, args, result)


if __name__ == "__main__":
    main()
