"""How many truths lie in the 90 % intervals of the method ``posterior``, case by case, noise power known.

Over all scenes and over hits alone (every source within 2 deg), with the standard error.

    .venv/bin/python benchmarks/posterior_coverage.py [--scenes 1000]
"""

import math

import torch
from command import make_parser, write_result
from tqdm import tqdm

from doamc.estimators.intervals import NORMAL_90
from doamc.posterior.methods import Posterior
from doamc.scenes import draw_scene, receive
from doamc.scenes.accuracy import azimuth_error, is_hit
from doamc.snapshots import make_batch

CASES = [  # array, P, L, SNR dB
    ("ula8", 2, 200, -5.0), ("ula8", 2, 200, 0.0), ("ula8", 2, 200, 10.0), ("ula8", 2, 20, 0.0), ("ula8", 2, 5, 10.0),
    ("ula8", 1, 20, 0.0), ("ula8", 1, 200, -10.0), ("ula8", 3, 200, 0.0), ("ula8", 3, 200, 10.0),
    ("uca5", 2, 200, 10.0), ("uca5", 1, 200, -5.0), ("uca5", 1, 20, 0.0), ("seed16", 3, 128, 0.0),
]  # fmt: skip


def coverage(array: str, n_sources: int, snapshots: int, snr_db: float, scenes: int) -> dict[str, float | int | str]:
    """Hit rate and coverage of one case."""
    inside, hit = [], []
    for first in range(0, scenes, 50):
        # another seed for every few scenes: the sampler's own error must not be the same for all of them
        estimator = Posterior(array, seed=first)
        generator = torch.Generator().manual_seed(77_000 + first)
        scene = draw_scene(estimator.spec, min(50, scenes - first), n_sources, snr_db, generator)
        batch = make_batch(receive(scene, snapshots, "gaussian", generator).snapshots, None, scene.noise_power)
        e = estimator(batch, n_sources)
        error = azimuth_error(scene.azimuth, e.azimuth, estimator.spec.full_circle).abs()
        inside.append(error < NORMAL_90 * e.std)
        hit.append(is_hit(error))
    held, found = torch.cat(inside).double(), torch.cat(hit)
    return {
        "array": array, "sources": n_sources, "snapshots": snapshots, "snr_db": snr_db, "scenes": scenes,
        "hits": round(float(found.double().mean()), 3), "coverage": round(float(held.mean()), 3),
        "coverage_of_hits": round(float(held[found].mean()), 3),
        "standard_error": round(math.sqrt(0.09 / scenes), 3),  # sources of a scene err together at worst
    }  # fmt: skip


def main() -> None:
    """Run and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--scenes", type=int, default=1000, help="of each case (%(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases, scenes = (CASES[:2], 20) if args.quick else (CASES, args.scenes)
    write_result(__file__, args, {"cases": [coverage(*case, scenes) for case in tqdm(cases, disable=None)]})


if __name__ == "__main__":
    main()
