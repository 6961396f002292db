"""`posterior` with an unknown number of sources: phantoms in noise alone, emitters overlooked, numbers that are right.

    .venv/bin/python benchmarks/source_number.py [--quick]

Emitters of the prior, -6 to 0 dB; the SNR is that of an emitter of 0 dB. Every case at the level of the prior, and
30 dB below it, as a receiver of unknown scale delivers it. Noise alone: batches in which a source was found; the test
in front of the sampler decides that, and is asked alone. Covariances of very many snapshots are drawn by their law.
"""

import json
import time
from itertools import product
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result

from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.likelihood.noise_test import NoiseTest, noise_alone
from doamc.scenes import draw_scene, receive
from doamc.scenes.wishart import draw_covariance
from doamc.snapshots import make_batch
from doamc.spec import load_spec

ARRAYS = ("ula8", "uca5", "kraken5")
NOISE_ARRAYS = ("ula8", "uca5", "kraken5", "dipole8", "seed16")
LENGTHS, SNRS_DB = (50, 200, 1000), (-10.0, -5.0, 0.0, 10.0)
NOISE_LENGTHS = (20, 50, 200, 1000, 100_000)
SCENES, NOISES = 24, 2000
LONGEST = 10_000  #: snapshots that are drawn one by one
SCALE = 10 ** (-30 / 20)
MOST_SAMPLES = 4_000_000  #: of noise drawn at once


def phantoms(array: str, length: int, batches: int) -> float:
    """Share of batches of noise alone that hold a source."""
    spec = load_spec(array)
    test, n = NoiseTest(spec), spec.n_elements
    if length > LONGEST:
        lengths = torch.full((batches,), float(length), dtype=torch.float64)
        white = torch.eye(n, dtype=torch.complex128).expand(batches, -1, -1)
        noise = noise_alone(test.log_odds(draw_covariance(white, lengths, np.random.default_rng(1)), lengths))
    else:
        generator, parts = torch.Generator().manual_seed(1), []
        for part in torch.arange(batches).split(max(1, MOST_SAMPLES // (length * n))):
            y = torch.randn(len(part), n, length, dtype=torch.complex128, generator=generator)
            parts.append(test(make_batch(SCALE * y)))
        noise = torch.cat(parts)
    return round(1 - float(noise.double().mean()), 4)


def right(estimator: Any, length: int, snr_db: float, n_sources: int, scenes: int) -> dict[str, float]:
    """Shares of scenes whose sources were counted right, and in which none was found."""
    found: dict[str, float] = {}
    for level, scale in (("prior's level", 1.0), ("any level", SCALE)):
        generator = torch.Generator().manual_seed(2)
        scene = draw_scene(estimator.spec, scenes, n_sources, snr_db, generator)
        batch = make_batch(scale * receive(scene, length, "gaussian", generator).snapshots)
        begin = time.process_time()
        count = estimate_batch(estimator, batch, None).n_sources
        found[level] = round(float((count == n_sources).double().mean()), 3)
        found[f"{level}, none"] = round(float((count == 0).double().mean()), 3)
        found[f"{level}, cpu_ms"] = round(1e3 * (time.process_time() - begin) / scenes, 1)
    return found


def main() -> None:
    """Measure, and write what was measured."""
    args = make_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    quick = args.quick
    table: dict[str, Any] = {"phantoms": {}, "right": {}}
    with torch.no_grad():
        for array, length in product(
            NOISE_ARRAYS[:1] if quick else NOISE_ARRAYS, NOISE_LENGTHS[: 1 if quick else None]
        ):
            found = phantoms(array, length, 50 if quick else NOISES)
            table["phantoms"][f"{array}, L = {length}"] = found
            print(array, length, found, flush=True)
        for array in ARRAYS[:1] if quick else ARRAYS:
            estimator = open_estimator("posterior", load_spec(array), None, "cpu", 0)
            numbers = range(1, min(3, estimator.spec.source_count[1]) + 1)
            for length, snr_db, p in product(LENGTHS[: 1 if quick else None], SNRS_DB, numbers):
                case = f"{array}, L = {length}, {snr_db:g} dB, P = {p}"
                table["right"][case] = right(estimator, length, snr_db, p, 2 if quick else SCENES)
                print(case, json.dumps(table["right"][case]), flush=True)
    write_result(__file__, args, {"scenes": SCENES, "batches of noise": NOISES, "cases": table})


if __name__ == "__main__":
    main()
