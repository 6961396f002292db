"""The Bayes limit of a few scenes by Metropolis chains that start at the truth: what training is measured against."""

import math

import numpy as np
import torch

from doamc.likelihood.coordinates import Coordinates, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.metropolis import MoveTables
from doamc.likelihood.mode_search import covariance_factors
from doamc.likelihood.scene_points import scene_points
from doamc.posterior.report.summary import summarise
from doamc.posterior.training.examples import Example
from doamc.scenes.accuracy import azimuth_error, is_hit
from doamc.scenes.prior import Scene, draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import ArraySpec

PROPOSAL_SCALE = (
    1.8  #: of the chains, in Fisher widths over sqrt(d): a little below the best for normal posteriors, 2.4
)
PART = 16  #: observations whose chains run at once: many steps are kept of each


def limit_scenes(
    spec: ArraySpec, batch: int = 100, snapshots: int = 200, snr_db: float = -3.0, seed: int = 31
) -> Example:
    """Scenes in the threshold region, with an unknown noise power: two sources, or as many as there may be."""
    p = min(2, spec.source_count[1])
    scene = draw_scene(spec, batch, p, snr_db, torch.Generator().manual_seed(seed))
    count = torch.full((batch,), float(snapshots), dtype=torch.float64)
    covariance = draw_covariance(scene.covariance, count, np.random.default_rng(seed))
    return Example(scene, covariance, count, torch.zeros(batch, dtype=torch.bool))


def normal_moves(size: int, steps: int, chains: int, seed: int = 17) -> MoveTables:
    """Tables of steps of normal proposals alone, in d = size dimensions."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(steps, size, chains, generator=generator, dtype=torch.float64)
    return MoveTables(
        normal=normal * PROPOSAL_SCALE / math.sqrt(size),
        difference=torch.full((steps,), -1),
        scale=torch.zeros(0, dtype=torch.float64),
        pairs=torch.zeros(0, 2, chains, dtype=torch.int64),
        log_uniform=torch.rand(steps, chains, generator=generator, dtype=torch.float64).log(),
    )


@torch.no_grad()
def samples_from_truth(
    posterior: ExactPosterior, scene: Scene, tables: MoveTables, keep: int, every: int = 1
) -> torch.Tensor:
    """Samples (B, d, n) of chains that start at the true scenes: of their last `keep` states, one in `every`.

    What is made of them is an upper estimate of the limit, since a chain that starts at the truth knows where it is.
    """
    start, samples = scene_points(posterior.coordinates, scene), []
    for places in torch.arange(len(start)).split(PART):
        part, x = posterior.select(places), start[places]
        chains = tables.log_uniform.shape[1]
        factors = covariance_factors(part, x).expand(-1, chains, -1, -1)
        x = x.expand(-1, -1, chains).contiguous()
        kept = part.backend.run_chains(x, part(x), factors, tables, keep).kept
        samples.append(posterior.coordinates.wrap(kept[:, :, ::every].flatten(2)))
    return torch.cat(samples)


def scenes_near_limit(spec: ArraySpec, e: Example, steps: int = 300, chains: int = 24) -> tuple[Example, float]:
    """The scenes, and the hit rate of the median of chains from the truth."""
    coordinates = make_coordinates(spec, e.scene.azimuth.shape[1], True, spec.noise_db)
    posterior = ExactPosterior(coordinates, e.covariance, e.snapshots, None)
    x = samples_from_truth(posterior, e.scene, normal_moves(coordinates.size, steps, chains), steps // 2)
    return e, hit_rate(x, coordinates, e.scene)


def hit_rate(x: torch.Tensor, coordinates: Coordinates, scene: Scene) -> float:
    """Share of scenes whose every source the summary of samples x (B, d, n) has within `accuracy.HIT_DEG`."""
    error = azimuth_error(scene.azimuth, summarise(x, coordinates).azimuth.cpu(), coordinates.spec.full_circle)
    return round(float(is_hit(error).double().mean()), 4)
