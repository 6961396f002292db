"""Noise alone before the sampler of `posterior`: false alarms, emitters that are overlooked, time.

    .venv/bin/python benchmarks/squelch.py [--quick]

One emitter of -6 to 0 dB anywhere in the sector, coupling of the prior; SNR is that of an emitter of 0 dB. Of the
overlooked ones, those that the sampler would have placed within 5 degrees are counted again.
"""

import json
import math
import time
from itertools import product
from typing import Any

import torch
from command import make_parser, write_result

from doamc.angles import wrap_rad
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

ARRAYS = ("ula8", "uca5", "kraken5")
LENGTHS, SNRS_DB = (50, 256, 1000), (-10.0, -5.0, 0.0, 5.0)
SCENES, PLACED_DEG = 1000, 5.0


def noise(n: int, length: int, batches: int, seed: int) -> torch.Tensor:
    """Noise of a receiver whose channels differ by up to 2 dB, at a level of -30 dB."""
    generator = torch.Generator().manual_seed(seed)
    power = 10 ** torch.linspace(-3.1, -2.9, n, dtype=torch.float64)
    y = torch.randn(batches, n, length, dtype=torch.complex128, generator=generator)
    return y * power.sqrt()[:, None]


def placed(estimator: Any, batch: Any, truth: torch.Tensor) -> int:
    """How many of the batches the sampler gives one source, near the truth."""
    if not batch.size:
        return 0
    estimator.is_noise = lambda b: torch.zeros(b.size, dtype=torch.bool)  # as if there were no test
    estimates = estimate_batch(estimator, batch, None)
    del estimator.is_noise
    error = wrap_rad(estimates.azimuth[:, :1] - truth)
    return int(((estimates.n_sources == 1) & (error.abs()[:, 0] < math.radians(PLACED_DEG))).sum())


def cpu_ms(estimator: Any, batches: list[Any]) -> float:
    """Processor time of an estimate, ms."""
    begin = time.process_time()
    for batch in batches:
        estimate_batch(estimator, batch, None)
    return 1e3 * (time.process_time() - begin) / len(batches)


def row(array: str, length: int, scenes: int) -> dict[str, Any]:
    """Counts and times of an array and a number of snapshots."""
    spec = load_spec(array)
    estimator = open_estimator("posterior", spec, None, "cpu", 0)
    quiet = make_batch(noise(spec.n_elements, length, 4 * scenes, 1))
    recognised = estimator.is_noise(quiet)
    found: dict[str, Any] = {"false_alarms": round(1 - float(recognised.double().mean()), 4)}
    some = [quiet.select(slice(i, i + 1)) for i in recognised.nonzero()[:20, 0].tolist()]
    cpu_ms(estimator, some[:2])
    found["noise_cpu_ms"] = round(cpu_ms(estimator, some), 2)
    estimator.is_noise = lambda b: torch.zeros(b.size, dtype=torch.bool)
    found["noise_cpu_ms_without"] = round(cpu_ms(estimator, some[:4]), 1)
    del estimator.is_noise
    for snr_db in SNRS_DB:
        generator = torch.Generator().manual_seed(2)
        scene = draw_scene(spec, scenes, 1, snr_db, generator)
        batch = make_batch(receive(scene, length, "gaussian", generator).snapshots)
        missed = estimator.is_noise(batch).nonzero()[:, 0]
        some_missed = missed[:40]
        share = placed(estimator, batch.select(some_missed), scene.azimuth[some_missed]) / max(1, len(some_missed))
        overlooked = len(missed) / scenes
        found[f"{snr_db:g} dB"] = {"overlooked": overlooked, "placed_otherwise": round(share * overlooked, 4)}
    return found


def main() -> None:
    """Measure, and write what was measured."""
    args = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    arrays, lengths, scenes = (ARRAYS[:1], LENGTHS[:1], 20) if args.quick else (ARRAYS, LENGTHS, SCENES)
    table = {}
    with torch.no_grad():
        for array, length in product(arrays, lengths):
            table[f"{array}, L = {length}"] = row(array, length, scenes)
            print(array, length, json.dumps(table[f"{array}, L = {length}"]), flush=True)
    write_result(__file__, args, {"scenes": scenes, "cases": table})


if __name__ == "__main__":
    main()
