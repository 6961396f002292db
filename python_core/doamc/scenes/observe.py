"""What the array receives from a scene: Y = C A S + W."""

import math
from dataclasses import dataclass

import torch

from doamc.scenes.prior import Scene
from doamc.scenes.waveforms import draw_waveforms


@dataclass(frozen=True)
class Received:
    """Clean snapshots x0 = C A s and received snapshots y = x0 + n, each (B, N, L) complex."""

    clean: torch.Tensor
    snapshots: torch.Tensor


def receive(
    scene: Scene, n_snapshots: int, waveform: str = "gaussian", generator: torch.Generator | None = None
) -> Received:
    """Snapshots of a batch of scenes; waveform is one of `WAVEFORMS`. Noise is circular complex Gaussian."""
    batch, n_sources = scene.azimuth.shape
    s = draw_waveforms(waveform, batch, n_sources, n_snapshots, generator)
    clean = scene.response @ (scene.power.sqrt()[..., None] * s)
    z = torch.view_as_complex(torch.randn(*clean.shape, 2, dtype=torch.float64, generator=generator)) / math.sqrt(2)
    return Received(clean, clean + scene.noise_power.sqrt()[:, None, None] * z)
