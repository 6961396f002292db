"""The Bayes limit of a few scenes by Metropolis chains that start at the truth: what training is measured against."""

import math

import numpy as np
import torch

from doamc.likelihood.coordinates import Coordinates, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import covariance_factors
from doamc.posterior.report.summary import summarise
from doamc.posterior.sampling.metropolis import random_walk
from doamc.posterior.training.examples import Example
from doamc.scenes.prior import Scene, draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import ArraySpec

HIT_DEG = 2.0  #: an estimate hits when every source is within so many degrees


def limit_scenes(
    spec: ArraySpec, batch: int = 100, snapshots: int = 200, snr_db: float = -3.0, seed: int = 31
) -> Example:
    """Scenes in the threshold region, with an unknown noise power: two sources, or as many as there may be."""
    p = min(2, spec.source_count[1])
    scene = draw_scene(spec, batch, p, snr_db, torch.Generator().manual_seed(seed))
    count = torch.full((batch,), float(snapshots), dtype=torch.float64)
    covariance = draw_covariance(scene.covariance, count, np.random.default_rng(seed))
    return Example(scene, covariance, count, torch.zeros(batch, dtype=torch.bool))


def truth_in(coordinates: Coordinates, scene: Scene) -> torch.Tensor:
    """Scenes as points (B, d, 1) inside the prior's box."""
    flat, wrapping = scene.spec.family.coordinates(scene.theta)
    noise_db = 10 * scene.noise_power.log10()[:, None, None]
    power_db = 10 * scene.power.log10()[..., None]
    x = coordinates.join(power_db, flat[..., None], noise_db, scene.azimuth[..., None], wrapping[..., None])
    return coordinates.clip(x)


@torch.no_grad()
def scenes_near_limit(spec: ArraySpec, e: Example, steps: int = 300, chains: int = 24) -> tuple[Example, float]:
    """The scenes, and the hit rate of the median of long chains from the truth (an upper estimate of the limit)."""
    coordinates = make_coordinates(spec, e.scene.azimuth.shape[1], True, spec.noise_db)
    posterior = ExactPosterior(coordinates, e.covariance, e.snapshots, None)
    generator = torch.Generator().manual_seed(17)
    x = truth_in(coordinates, e.scene)
    root = covariance_factors(posterior, x)[:, 0]  # (B, d, d)
    x = x.expand(-1, -1, chains).contiguous()
    z = (
        torch.randn(steps, coordinates.size, chains, generator=generator, dtype=torch.float64)
        * 1.8
        / math.sqrt(coordinates.size)
    )
    moves = (root[None] @ z[:, None]).contiguous()
    log_uniform = torch.rand(steps, chains, generator=generator, dtype=torch.float64).log()
    kept = random_walk(posterior, x, posterior(x), moves, log_uniform, steps // 2)[2]
    return e, hit_rate(coordinates.wrap(kept.flatten(2)), coordinates, e.scene)


def hit_rate(x: torch.Tensor, coordinates: Coordinates, scene: Scene) -> float:
    """Share of scenes whose every source the summary of samples x (B, d, n) has within `HIT_DEG`."""
    found = summarise(x, coordinates).azimuth.cpu()
    p = found.shape[1]
    shifts = range(p) if coordinates.spec.full_circle else range(1)
    error = torch.stack([found.roll(k, 1) - scene.azimuth for k in shifts])
    error = (torch.remainder(error + math.pi, 2 * math.pi) - math.pi).abs().amax(-1).amin(0)
    return round(float((error < math.radians(HIT_DEG)).double().mean()), 4)
