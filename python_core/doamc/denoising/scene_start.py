"""The most probable scene of a batch: what conditions the eps-net."""

import torch

from doamc.arrays.steering import steering
from doamc.estimators.base import Estimates
from doamc.estimators.map import MaximumAPosteriori
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: descents and their length: a conditioning scene need not be polished
STARTS, ITERATIONS = 3, 12


def scene_estimator(spec: ArraySpec) -> MaximumAPosteriori:
    """The estimator whose scenes the net is trained with and conditioned on."""
    return MaximumAPosteriori(spec, max_iterations=ITERATIONS, starts=STARTS)


def scaled_response(spec: ArraySpec, scene: Estimates, batch: SnapshotBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """V = C A (P / s2)^1/2 of a scene, (B, N, P), and the noise power s2 (B,) that it is scaled by."""
    noise = scene.noise_power if batch.noise_power is None else batch.noise_power
    v = scene.coupling @ steering(spec.positions, scene.azimuth)
    return v * (scene.power / noise[:, None]).sqrt()[:, None], noise
