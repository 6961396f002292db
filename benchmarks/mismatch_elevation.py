"""Which causes are named where batches of arrays with elevations do not fit: flags and words, beside the model itself.

    .venv/bin/python benchmarks/mismatch_elevation.py [--quick]

Two emitters of the prior at 10 dB, 200 snapshots, unless the row says otherwise. named: share of batches with the cause
of the row; doubtful, wide: of those marked doubtful, and answered under the wide prior.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from command import make_parser, write_result

from doamc.estimators.cause_names import cause_name
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import ArraySpec, load_spec

ARRAYS = {"dome8": (79.0, 84.0), "panel16": (50.0, 65.0)}  #: elevations outside the sector of each, degrees
METHODS = ("posterior", "map")
BATCHES, SNAPSHOTS, SNR_DB = 50, 200, 10.0


def received(spec: ArraySpec, batches: int, sources: int, g: torch.Generator) -> torch.Tensor:
    return receive(draw_scene(spec, batches, sources, SNR_DB, g), SNAPSHOTS, "gaussian", g).snapshots


def model(spec: ArraySpec, batches: int, g: torch.Generator) -> tuple[torch.Tensor, int]:
    return received(spec, batches, 2, g), 2


def outside(spec: ArraySpec, batches: int, g: torch.Generator) -> tuple[torch.Tensor, int]:
    """One emitter above the sector."""
    scene = draw_scene(spec, batches, 1, SNR_DB, g)
    low, high = (math.radians(e) for e in ARRAYS[spec.name])
    elevation = low + (high - low) * torch.rand(batches, 1, dtype=torch.float64, generator=g)
    return receive(replace(scene, elevation=elevation), SNAPSHOTS, "gaussian", g).snapshots, 1


def outside_beside_one(spec: ArraySpec, batches: int, g: torch.Generator) -> tuple[torch.Tensor, int]:
    """The second of two."""
    scene = draw_scene(spec, batches, 2, SNR_DB, g)
    low, high = (math.radians(e) for e in ARRAYS[spec.name])
    elevation = scene.elevation.clone() if scene.elevation is not None else torch.zeros_like(scene.azimuth)
    elevation[:, 1] = low + (high - low) * torch.rand(batches, dtype=torch.float64, generator=g)
    return receive(replace(scene, elevation=elevation), SNAPSHOTS, "gaussian", g).snapshots, 2


def one_more(spec: ArraySpec, batches: int, g: torch.Generator) -> tuple[torch.Tensor, int]:
    """Three, where two are told."""
    return received(spec, batches, 3, g), 2


def dead(spec: ArraySpec, batches: int, g: torch.Generator) -> tuple[torch.Tensor, int]:
    """Channel 3 has no antenna."""
    y = received(spec, batches, 2, g)
    z = torch.view_as_complex(torch.randn(batches, SNAPSHOTS, 2, dtype=torch.float64, generator=g))
    y[:, 3] = 10 ** (-SNR_DB / 20) * z / math.sqrt(2)
    return y, 2


def unequal(spec: ArraySpec, batches: int, g: torch.Generator) -> tuple[torch.Tensor, int]:
    """Noise powers of the channels differ by 3 dB r.m.s."""
    scene = draw_scene(spec, batches, 2, SNR_DB, g)
    clean = receive(scene, SNAPSHOTS, "gaussian", g).clean
    z = torch.view_as_complex(torch.randn(*clean.shape, 2, dtype=torch.float64, generator=g)) / math.sqrt(2)
    level = SNR_DB + 3.0 * torch.randn(batches, spec.n_elements, 1, dtype=torch.float64, generator=g)
    return clean + 10 ** (-level / 20) * z, 2


Make = Callable[[ArraySpec, int, torch.Generator], tuple[torch.Tensor, int]]
ROWS: dict[str, tuple[Make, str]] = {
    "the model": (model, "none"),
    "outside the elevations": (outside, "outside the sector"),
    "one of two outside": (outside_beside_one, "outside the sector"),
    "one more source": (one_more, "one more source"),
    "channel 3 dead": (dead, "channel 3 off"),
    "unequal noise, 3 dB": (unequal, "unequal noise"),
}


def measure(array: str, method: str, row: str, batches: int) -> dict[str, Any]:
    """One row by one method."""
    spec, (make, cause) = load_spec(array), ROWS[row]
    snapshots, told = make(spec, batches, torch.Generator().manual_seed(3))
    e = estimate_batch(open_estimator(method, spec, told, "cpu", 0), make_batch(snapshots), told)
    causes = Counter(cause_name(int(k)) for k in e.fit_cause) if e.fit_cause is not None else Counter()
    out: dict[str, Any] = {"array": array, "method": method, "row": row, "named": causes[cause] / batches}
    out["doubtful"] = float(e.doubtful.double().mean()) if e.doubtful is not None else None
    out["wide"] = float(e.wide_prior.double().mean()) if e.wide_prior is not None else 0.0
    print(array, method, row, out["named"], out["doubtful"], out["wide"], dict(causes), flush=True)
    return out | {"causes": dict(causes.most_common())}


def main() -> None:
    """Measure, and write what was measured."""
    args = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    batches = 4 if args.quick else BATCHES
    rows = [measure(a, m, row, batches) for a in ARRAYS for m in METHODS for row in ROWS]
    write_result(__file__, args, {"batches": batches, "rows": rows})


if __name__ == "__main__":
    main()
