"""Azimuth and elevation: hits beside long chains that start at the truth, errors over their bound, intervals, time.

    .venv/bin/python benchmarks/elevation.py [--quick]

Emitters of the prior of `dome8` (a circle) and `panel16` (4 x 4, upright). Errors are great-circle angles; a hit finds
every emitter within 2 degrees. `ratio`: r.m.s. of errors of hits over their Cramér-Rao bounds, where these are below a
degree. `cover`: share of truths in 90 % intervals, about the estimate, of both angles, where no emitter is 10 degrees
off. `limit`: hits of the same report made of long chains. Times are of one batch after the other, on one thread.
"""

import math
import time
from typing import Any

import torch
from command import make_parser, write_result

from doamc.angles import wrap_rad
from doamc.bounds import cramer_rao
from doamc.errors import DoamcError
from doamc.estimators import make_estimator
from doamc.estimators.estimates import Estimates
from doamc.posterior.methods import Posterior
from doamc.posterior.observations import Observations
from doamc.posterior.report.summary import summarise
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.scenes import Scene
from doamc.scenes.accuracy import direction_error, direction_order, is_hit
from doamc.snapshots import SnapshotBatch
from doamc.trials.bayes_limit import samples_from_truth
from doamc.trials.observe import observe

#: array, sources, snapshots, SNR in dB of a source of 0 dB
CASES = [
    ("dome8", 1, 200, 0.0), ("dome8", 2, 200, 10.0), ("dome8", 1, 20, 5.0),
    ("panel16", 1, 200, -5.0), ("panel16", 2, 200, 5.0), ("panel16", 3, 200, 10.0),
]  # fmt: skip
METHODS = ("posterior", "map", "ml", "rare", "music", "bartlett")
SCENES, TIMED = 100, 10
CHAINS, STEPS, KEEP, EVERY = 48, 2400, 1600, 8  #: of the long chains
PART = 16  #: scenes whose long chains are summed up at once


def score(scene: Scene, n_snapshots: int, e: Estimates) -> dict[str, float]:
    """The figures of the module for one method."""
    if e.elevation is None or scene.elevation is None:
        return {}
    error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
    bound, hit = cramer_rao(scene, n_snapshots).direction, is_hit(error)
    out = {"hits": float(hit.double().mean())}
    sharp = hit[:, None] & (bound < math.radians(1.0)) if bound is not None else hit[:, None]
    if bound is not None and sharp.any():
        out["ratio"] = float((error / bound)[sharp].square().mean().sqrt())
    if e.elevation_std is not None:
        order = direction_order((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
        azimuth, elevation, std, tilt = (v.gather(1, order) for v in (e.azimuth, e.elevation, e.std, e.elevation_std))
        inside = torch.cat(
            [wrap_rad(azimuth - scene.azimuth).abs() < 1.645 * std, (elevation - scene.elevation).abs() < 1.645 * tilt]
        )
        out["cover"] = float(inside[(error.amax(1) < math.radians(10.0)).repeat(2)].double().mean())
    return {k: round(v, 3) for k, v in out.items()}


def limit(estimator: Posterior, scene: Scene, batch: SnapshotBatch, n_snapshots: int) -> float:
    """Hits of the report made of long chains that start at the truth."""
    count, p = scene.azimuth.shape
    length = torch.full((count,), float(n_snapshots), dtype=torch.float64)
    posterior = estimator.sampler(p).posterior(Observations(batch.covariance, length, None))
    size, scales = posterior.coordinates.size, (2.0, 1.2, 0.6)
    tables = MetropolisChains(CHAINS, size, STEPS, scales, (1.0, 0.5), 5, torch.device("cpu")).tables
    found = []
    for part in torch.arange(count).split(PART):
        x = samples_from_truth(posterior.select(part), scene.select(part), tables, KEEP, EVERY)
        s = summarise(x, posterior.coordinates)
        if s.elevation is not None and scene.elevation is not None:
            true = scene.azimuth[part], scene.elevation[part]
            found.append(is_hit(direction_error(true, (s.azimuth, s.elevation))))
    return round(float(torch.cat(found).double().mean()), 3)


def measure(case: tuple[str, int, int, float], scenes: int, seed: int) -> dict[str, Any]:
    """Every method on the scenes of one case."""
    array, p, n_snapshots, snr_db = case
    estimator = Posterior(array)
    scene, batch, _ = observe(estimator.spec, scenes, p, n_snapshots, snr_db, torch.Generator().manual_seed(seed))
    out: dict[str, Any] = {"array": array, "sources": p, "snapshots": n_snapshots, "snr_db": snr_db}
    out["limit"] = limit(estimator, scene, batch, n_snapshots)
    for name in METHODS:
        try:
            method = make_estimator(name, array)
            e = method(batch, p)
        except DoamcError as error:
            out[name] = {"refused": str(error)}
            continue
        times = []
        for i in range(min(TIMED, scenes)):
            one, begin = batch.select(slice(i, i + 1)), time.process_time()
            method(one, p)
            times.append(1e3 * (time.process_time() - begin))
        out[name] = score(scene, n_snapshots, e) | {"single_ms": round(sum(times) / len(times), 1)}
        print(array, p, n_snapshots, snr_db, name, out[name], "limit", out["limit"], flush=True)
    return out


def main() -> None:
    """Measure, and write what was measured."""
    args = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    scenes = 16 if args.quick else SCENES
    cases = CASES[1::3] if args.quick else CASES
    write_result(__file__, args, {"scenes": scenes, "cases": [measure(c, scenes, 7 + i) for i, c in enumerate(cases)]})


if __name__ == "__main__":
    main()
