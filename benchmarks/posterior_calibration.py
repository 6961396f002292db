"""Simulation-based calibration of the method ``posterior``: ranks of the truth among samples, and coverage.

Scenes come from the prior at a uniform SNR; with exact samples the rank of every true parameter is uniform (Talts et
al. 2018, arXiv:1804.06788). Tells p-values of a chi-square test over 16 bins, and the coverage of 90 % intervals.

    .venv/bin/python benchmarks/posterior_calibration.py [--array ula8] [--scenes 2000]
"""

import math

import torch
from command import make_parser, write_result
from scipy.stats import chisquare

from doamc.estimators.intervals import NORMAL_90
from doamc.likelihood.scene_points import scene_points
from doamc.posterior.methods import Posterior
from doamc.posterior.report.source_order import aligned
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch

BINS = 16


def ranks_and_coverage(
    array: str, n_sources: int, snapshots: int, snr_db: tuple[float, float], scenes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ranks (scenes, d) in 0..1 of the true coordinates, and whether the 90 % intervals hold, (scenes, P)."""
    ranks, held = [], []
    for first in range(0, scenes, 50):
        # another seed for every few scenes: the sampler's own error must not be the same for all of them
        estimator = Posterior(array, seed=first)
        generator = torch.Generator().manual_seed(900_001 + first)
        scene = draw_scene(estimator.spec, min(50, scenes - first), n_sources, snr_db, generator)
        batch = make_batch(receive(scene, snapshots, "gaussian", generator).snapshots)
        (group,) = estimator.samples(batch, n_sources)
        coordinates = group.samples.coordinates
        x = aligned(group.samples.x, coordinates)[:, :, -estimator.options.chains :]  # the last state of every chain
        truth = scene_points(coordinates, scene)
        width = coordinates.high - coordinates.low
        period = torch.where(coordinates.wraps, width, math.inf)[:, None]
        turn = ((truth - x.mean(2, keepdim=True)) / period).round()
        truth = truth - torch.where(coordinates.wraps[:, None], turn * width[:, None], 0.0)
        ranks.append((x < truth).double().mean(2))
        e = estimator.estimate(batch, n_sources)
        error = (e.azimuth - scene.azimuth).abs()
        near = (error < math.radians(5.0)).all(1)
        held.append((error < NORMAL_90 * e.std)[near])
    return torch.cat(ranks), torch.cat(held)


def main() -> None:
    """Run and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--array", default="ula8")
    parser.add_argument("--scenes", type=int, default=2000, help="from the prior (%(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    scenes = 20 if args.quick else args.scenes
    ranks, held = ranks_and_coverage(args.array, 2, 200, (-5.0, 20.0), scenes)
    p_values = []
    for column in ranks.T:
        counts = torch.histc(column, BINS, 0.0, 1.0)
        p_values.append(round(float(chisquare(counts.numpy()).pvalue), 4))
    result = {
        "array": args.array,
        "sources": 2,
        "snapshots": 200,
        "snr_db": [-5, 20],
        "scenes": scenes,
        "p_values": p_values,
        "coverage_90": round(float(held.double().mean()), 4),
    }
    write_result(__file__, args, result)


if __name__ == "__main__":
    main()
