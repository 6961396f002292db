"""Scenes and comparisons that several tests need."""

import copy
import math
from dataclasses import replace

import torch

from doamc.scenes import Scene, draw_scene, receive
from doamc.snapshots import SnapshotBatch, make_batch
from doamc.spec import ArraySpec, load_spec, parse_spec


def edited_spec(name: str, **sections: dict) -> ArraySpec:
    """A shipped specification with some entries of some tables replaced: edited_spec("ula8", geometry={...})."""
    table = copy.deepcopy(dict(load_spec(name).table))
    for section, entries in sections.items():
        table[section] = {**table.get(section, {}), **entries}
    return parse_spec(table)


def uncoupled_spec(name: str) -> ArraySpec:
    """A shipped specification whose coupling is none."""
    bands = len(load_spec(name).coupling["magnitude"])
    return edited_spec(name, coupling={"magnitude": [[0.0, 0.0]] * bands})


def observed(
    spec: ArraySpec, scenes: int, n_sources: int, n_snapshots: int, snr_db: float, seed: int = 1, waveform="gaussian"
) -> tuple[Scene, SnapshotBatch]:
    """Scenes of the prior and the batch that they give, noise power not told."""
    generator = torch.Generator().manual_seed(seed)
    scene = draw_scene(spec, scenes, n_sources, snr_db, generator)
    return scene, make_batch(receive(scene, n_snapshots, waveform, generator).snapshots)


def fixed_scene(spec: ArraySpec, azimuth_deg: list[float], snr_db: float, scenes: int = 1) -> Scene:
    """Uncoupled scenes of 0 dB sources at given azimuths."""
    azimuth = torch.deg2rad(torch.tensor(azimuth_deg, dtype=torch.float64)).repeat(scenes, 1)
    theta = torch.zeros(scenes, 2 * spec.family.n_coefficients, dtype=torch.float64)
    noise = torch.full((scenes,), 10 ** (-snr_db / 10), dtype=torch.float64)
    return Scene(spec, azimuth, torch.ones_like(azimuth), theta, noise)


def exact_batch(scene: Scene, n_snapshots: int) -> SnapshotBatch:
    """A batch whose covariance is the model's own, as if L snapshots had no estimation error."""
    size, n = len(scene.azimuth), scene.spec.n_elements
    ones = torch.ones(size, n, n_snapshots, dtype=torch.complex128)
    nothing = torch.zeros(size, dtype=torch.int64)  # the ones are no snapshots to be looked at
    return replace(make_batch(ones), covariance=scene.covariance, left_out=nothing, offset_removed=nothing.bool())


def angle_error(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Estimate less truth in rad, wrapped to +-pi."""
    return torch.remainder(estimate - truth + math.pi, 2 * math.pi) - math.pi
