"""Training examples: scenes from the prior with their sample covariances, drawn without drawing snapshots."""

from dataclasses import dataclass

import numpy as np
import torch

from doamc.scenes.prior import Scene, draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class Example:
    """Scenes of one number of sources with what was observed of them."""

    scene: Scene
    covariance: torch.Tensor
    snapshots: torch.Tensor
    known: torch.Tensor


def draw_example(spec: ArraySpec, batch: int, n_sources: int, seed: int, most_snapshots: float = 1e6) -> Example:
    """A batch of training examples; the same seed gives the same batch.

    L is log-uniform, two thirds of it below 1000 (where a posterior is wide, and a proposal matters); SNR is
    uniform over the range of the specification, two thirds of it in its lower half. The noise power is known to
    every second batch item.
    """
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    low, high = spec.snr_db
    easy = draw_scene(spec, batch, n_sources, (low, high), generator)
    level = torch.from_numpy(low + (high - low) * rng.random(batch) * np.where(rng.random(batch) < 0.67, 0.5, 1.0))
    scene = Scene(spec, easy.azimuth, easy.power, easy.theta, 10 ** (-level / 10))
    top = np.where(rng.random(batch) < 0.67, 1000.0, most_snapshots)
    snapshots = torch.from_numpy(np.floor(np.exp(rng.random(batch) * np.log(top + 1)))).clamp_min(1)
    covariance = draw_covariance(scene.covariance, snapshots, rng)
    return Example(scene, covariance, snapshots, torch.from_numpy(rng.random(batch) < 0.5))
