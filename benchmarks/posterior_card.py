"""Score a checkpoint of method ``posterior`` beside the Bayes limit and write its model card.

The limit is taken by long Metropolis chains on the exact posterior that start at the truth
(`doamc.posterior.training.bayes_limit`).

    .venv/bin/python benchmarks/posterior_card.py dipole8 [--scenes 100] [--weights FILE] [--out FILE.md]
"""

import math
from pathlib import Path
from typing import Any

import torch
from command import make_parser
from tqdm import tqdm

from doamc.angles import wrap_rad
from doamc.estimators.intervals import NORMAL_90
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.methods import KIND, Posterior
from doamc.posterior.report.summary import summarise
from doamc.posterior.training.bayes_limit import normal_moves, samples_from_truth
from doamc.posterior.training.model_card import write_model_card
from doamc.scenes import draw_scene, receive
from doamc.scenes.prior import Scene
from doamc.snapshots import make_batch
from doamc.spec import ArraySpec, load_spec

CASES = [(1, 200, -5.0), (1, 20, 0.0), (2, 200, 10.0), (2, 200, 0.0), (2, 200, -5.0), (2, 20, 5.0), (3, 200, 5.0)]
STEPS, CHAINS = 1500, 16  #: of the chains from the truth
LIMIT = "median of long chains from the truth (drawn couplings: one normal prior for all builders), on the same scenes"


def limit_of(spec: ArraySpec, scene: Scene, covariance: torch.Tensor, snapshots: torch.Tensor) -> Any:
    """Summary of chains from the truth."""
    coordinates = make_coordinates(spec, scene.azimuth.shape[1], True, spec.noise_db)
    posterior = ExactPosterior(coordinates, covariance, snapshots, None)
    moves = normal_moves(coordinates.size, STEPS, CHAINS)
    return summarise(samples_from_truth(posterior, scene, moves, STEPS * 4 // 5, 15), coordinates)


def scores(spec: ArraySpec, scene: Scene, azimuth: torch.Tensor, coupling: torch.Tensor) -> tuple[Any, ...]:
    """Errors (B, P) in deg, matched around the circle, hit rate, RMSE over hits, gain over C = I in dB."""
    p = azimuth.shape[1]
    best = None
    for shift in range(p if spec.full_circle else 1):
        e = torch.rad2deg(wrap_rad(azimuth.roll(shift, 1) - scene.azimuth))
        best = e if best is None else torch.where(e.square().sum(1, True) < best.square().sum(1, True), e, best)
    hit = (best.abs() < 2).all(1)
    c, eye = scene.coupling, torch.eye(spec.n_elements)
    left, plain = ((x - c).abs().square().sum((1, 2)).mean() for x in (coupling, eye))
    return best, float(hit.double().mean()), float(best[hit].square().mean().sqrt()), 10 * math.log10(plain / left)


def score(array: str, weights: str, n_sources: int, snapshots: int, snr_db: float, scenes: int) -> dict[str, Any]:
    """One row of the card."""
    estimator = Posterior(array, weights=weights)
    spec = estimator.spec
    generator = torch.Generator().manual_seed(880_001)
    scene = draw_scene(spec, scenes, n_sources, snr_db, generator)
    batch = make_batch(receive(scene, snapshots, "gaussian", generator).snapshots)
    e = estimator.estimate(batch, n_sources)
    error, hit, rmse, gain = scores(spec, scene, e.azimuth, e.coupling)
    count = torch.full((scenes,), float(snapshots), dtype=torch.float64)
    s = limit_of(spec, scene, batch.covariance, count)
    _, limit_hit, limit_rmse, limit_gain = scores(spec, scene, s.azimuth, spec.family.matrix(s.theta))
    turned = torch.stack([torch.rad2deg(wrap_rad(e.azimuth.roll(k, 1) - scene.azimuth)) for k in range(n_sources)])
    which = (turned - error).abs().sum(2).argmin(0)
    std = torch.stack([e.std.roll(k, 1) for k in range(n_sources)], 1)[torch.arange(scenes), which]
    near = (error.abs() < 5).all(1)
    cover = float((error.deg2rad().abs() < NORMAL_90 * std)[near].double().mean())
    return {
        "case": f"P{n_sources} L{snapshots} {snr_db:+g}dB", "hit": hit, "limit_hit": limit_hit, "rmse_deg": rmse,
        "limit_rmse_deg": limit_rmse, "gain_db": gain, "limit_gain_db": limit_gain, "cover90": cover,
    }  # fmt: skip


def main() -> None:
    """Score and write."""
    parser = make_parser(__doc__, "beside the checkpoint, .md")
    parser.add_argument("array", nargs="?", default="ula8", help="as for doamc estimate; NAME@HZ too (%(default)s)")
    parser.add_argument("--scenes", type=int, default=100, help="of each case (%(default)s)")
    parser.add_argument("--weights", help="checkpoint; default: the one that the method would use")
    args = parser.parse_args()
    torch.set_num_threads(1)
    spec = load_spec(args.array)
    path = Path(args.weights or find_weights(KIND, *spec.names))
    scenes, cases = (4, CASES[:1]) if args.quick else (args.scenes, CASES)
    rows = []
    for case in tqdm([c for c in cases if c[0] <= spec.source_count[1]], disable=None):
        rows.append(score(args.array, str(path), *case, scenes))
        print(rows[-1], flush=True)
    card = args.out or (None if args.quick else path.with_suffix(".md"))
    if card is not None:
        write_model_card(card, load_checkpoint(path, KIND, spec), rows, LIMIT)


if __name__ == "__main__":
    main()
