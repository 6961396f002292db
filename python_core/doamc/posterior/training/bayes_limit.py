"""The Bayes limit of a few scenes by Metropolis chains that start at the truth: what training is measured against."""

import math

import numpy as np
import torch

from doamc.likelihood.coordinates import Chart, make_chart
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import spread
from doamc.posterior.report.summary import summarise
from doamc.posterior.sampling.metropolis import random_walk
from doamc.posterior.training.examples import Example
from doamc.scenes.accuracy import azimuth_error, is_hit
from doamc.scenes.prior import Scene, draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import ArraySpec


def limit_scenes(
    spec: ArraySpec, batch: int = 100, snapshots: int = 200, snr_db: float = -3.0, seed: int = 31
) -> Example:
    """Scenes in the threshold region, with an unknown noise power: two sources, or as many as there may be."""
    p = min(2, spec.source_count[1])
    scene = draw_scene(spec, batch, p, snr_db, torch.Generator().manual_seed(seed))
    count = torch.full((batch,), float(snapshots), dtype=torch.float64)
    covariance = draw_covariance(scene.covariance, count, np.random.default_rng(seed))
    return Example(scene, covariance, count, torch.zeros(batch, dtype=torch.bool))


def truth_in(chart: Chart, scene: Scene) -> torch.Tensor:
    """Coordinates (B, d, 1) of scenes in a chart."""
    flat, wrapping = scene.spec.family.coordinates(scene.theta)
    noise_db = 10 * scene.noise_power.log10()[:, None, None]
    power_db = 10 * scene.power.log10()[..., None]
    x = chart.join(power_db, flat[..., None], noise_db, scene.azimuth[..., None], wrapping[..., None])
    return chart.clip(x)


@torch.no_grad()
def scenes_near_limit(spec: ArraySpec, e: Example, steps: int = 300, chains: int = 24) -> tuple[Example, float]:
    """The scenes, and the hit rate of the median of long chains from the truth (an upper estimate of the limit)."""
    low, high = spec.snr_db
    chart = make_chart(spec, e.scene.azimuth.shape[1], True, (-high - 20.0, -low + 10.0))
    posterior = ExactPosterior(chart, e.covariance, e.snapshots, None)
    generator = torch.Generator().manual_seed(17)
    x = truth_in(chart, e.scene)
    root = spread(posterior, x)[:, 0]  # (B, d, d)
    x = x.expand(-1, -1, chains).contiguous()
    z = torch.randn(steps, chart.size, chains, generator=generator, dtype=torch.float64) * 1.8 / math.sqrt(chart.size)
    moves = (root[None] @ z[:, None]).contiguous()
    log_uniform = torch.rand(steps, chains, generator=generator, dtype=torch.float64).log()
    kept = random_walk(posterior, x, posterior(x), moves, log_uniform, steps // 2)[2]
    return e, hit_rate(chart.wrap(kept.flatten(2)), chart, e.scene)


def hit_rate(x: torch.Tensor, chart: Chart, scene: Scene) -> float:
    """Share of scenes whose every source the summary of samples x (B, d, n) has within `HIT_DEG`."""
    error = azimuth_error(scene.azimuth, summarise(x, chart).azimuth.cpu(), chart.spec.full_circle)
    return round(float(is_hit(error).double().mean()), 4)
