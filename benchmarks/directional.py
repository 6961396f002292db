"""Coupling that depends on direction: a series of the right order beside one matrix for all directions.

    .venv/bin/python benchmarks/directional.py [--quick]

Scenes of shipped arrays with `[coupling.directional]`, estimated with that table (`series`) and without it (`plain`).
Errors are azimuths, great-circle angles where there are elevations; a hit finds every emitter within 2 degrees.
`ratio`: r.m.s. of errors of hits over their Cramér-Rao bounds with the series unknown, where these are below a degree.
`cover`: share of truths in 90 % intervals, of both angles, where no emitter is 10 degrees off.
`coupling_db`: power of the error of C in the directions of the emitters of hits, over that of C - I.
Times are of one batch after the other, on one thread.
"""

import copy
import math
import time
from typing import Any

import torch
from command import make_parser, write_result

from doamc.angles import wrap_rad
from doamc.bounds import cramer_rao
from doamc.estimators import make_estimator
from doamc.estimators.estimates import Estimates
from doamc.scenes import Scene
from doamc.scenes.accuracy import azimuth_error, direction_error, direction_order, is_hit
from doamc.spec import ArraySpec, load_spec, parse_spec
from doamc.trials.observe import observe

#: array, order, spread in dB, sources, snapshots, SNR in dB of a source of 0 dB
CASES = [
    ("ula8", 1, -10.0, 2, 200, 10.0), ("ula8", 1, -6.0, 2, 200, 25.0), ("ula8", 2, -6.0, 3, 200, 10.0),
    ("ula8", 1, -6.0, 2, 20, 5.0), ("uca5", 1, -6.0, 2, 200, 10.0), ("panel16", 1, -6.0, 2, 200, 5.0),
    ("dome8", 1, -6.0, 2, 200, 10.0),
]  # fmt: skip
METHODS = ("posterior", "map", "ml", "rare")
SCENES, TIMED = 100, 10


def with_series(array: str, order: int, spread_db: float) -> ArraySpec:
    """A shipped array with the table."""
    table = copy.deepcopy(dict(load_spec(array).table))
    table["coupling"]["directional"] = {"order": order, "spread_db": spread_db}
    return parse_spec(table)


def score(scene: Scene, n_snapshots: int, e: Estimates) -> dict[str, float]:
    """The figures of the module for one method."""
    bound, order = cramer_rao(scene, n_snapshots), torch.arange(scene.azimuth.shape[1]).expand_as(scene.azimuth)
    if scene.elevation is None or e.elevation is None:
        error, limit = azimuth_error(scene.azimuth, e.azimuth, scene.spec.full_circle), bound.azimuth
        if scene.spec.full_circle:  # the nearest one of each
            order = wrap_rad(e.azimuth[:, None] - scene.azimuth[..., None]).abs().argmin(2)
    else:
        true, found = (scene.azimuth, scene.elevation), (e.azimuth, e.elevation)
        error, order, limit = direction_error(true, found), direction_order(true, found), bound.direction
    hit = is_hit(error)
    out = {"hits": float(hit.double().mean()), "doubtful": float((e.fit_probability < 1e-3).double().mean())}
    sharp = hit[:, None] & (limit < math.radians(1.0))
    if sharp.any():
        out["ratio"] = float((error / limit)[sharp].square().mean().sqrt())
    if not e.std.isnan().any():
        near = error.abs().amax(1) < math.radians(10.0)
        pairs = [(scene.azimuth, e.azimuth, e.std)]
        if e.elevation_std is not None:
            pairs.append((scene.elevation, e.elevation, e.elevation_std))
        inside = [wrap_rad(a.gather(1, order) - t).abs() < 1.645 * s.gather(1, order) for t, a, s in pairs]
        out["cover"] = float(torch.cat(inside)[near.repeat(len(pairs))].double().mean())
    if hit.any():
        true_c, own = scene.coupling_by_direction[hit], e.coupling_by_direction
        place = torch.arange(len(order))[:, None]
        c = e.coupling[:, None].expand(-1, order.shape[1], -1, -1) if own is None else own[place, order]
        apart = (torch.eye(c.shape[-1]) - true_c).abs().square().mean()
        out["coupling_db"] = float(10 * ((c[hit] - true_c).abs().square().mean() / apart).log10())
    return {k: round(v, 3) for k, v in out.items()}


def measure(case: tuple[str, int, float, int, int, float], scenes: int, seed: int) -> dict[str, Any]:
    """Every method on the scenes of one case."""
    array, order, spread_db, p, n_snapshots, snr_db = case
    spec = with_series(array, order, spread_db)
    scene, batch, _ = observe(spec, scenes, p, n_snapshots, snr_db, torch.Generator().manual_seed(seed))
    names = "array", "order", "spread_db", "sources", "snapshots", "snr_db"
    out: dict[str, Any] = dict(zip(names, case, strict=True))
    for name in METHODS:
        for kind, taken in (("series", spec), ("plain", load_spec(array))):
            method = make_estimator(name, taken)
            e = method(batch, p)
            times = []
            for i in range(min(TIMED, scenes)):
                one, begin = batch.select(slice(i, i + 1)), time.process_time()
                method(one, p)
                times.append(1e3 * (time.process_time() - begin))
            found = score(scene, n_snapshots, e) | {"single_ms": round(sum(times) / len(times), 1)}
            out.setdefault(name, {})[kind] = found
            print(*case, name, kind, found, flush=True)
    return out


def main() -> None:
    """Measure, and write what was measured."""
    args = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    scenes = 16 if args.quick else SCENES
    cases = CASES[::3] if args.quick else CASES
    write_result(__file__, args, {"scenes": scenes, "cases": [measure(c, scenes, 7 + i) for i, c in enumerate(cases)]})


if __name__ == "__main__":
    main()
