"""What a row is made of: snapshots of the model, taken apart so that a row can change one part of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from doamc.arrays.steering import steering
from doamc.scenes.prior import Scene, draw_azimuth, draw_scene
from doamc.scenes.waveforms import draw_waveforms
from doamc.spec import ArraySpec, load_spec


@dataclass(frozen=True)
class Trial:
    """Snapshots Y = C A sqrt(P) S + W of B batches, and the truth.

    scene: its azimuth (B, P) is the truth, P = 0 for noise alone. waveforms: S, (B, P, L). clean: C A sqrt(P) S and
    noise: W, (B, N, L). told: the number of sources that
    the method is told, None where it counts them.
    """

    scene: Scene
    waveforms: torch.Tensor
    clean: torch.Tensor
    noise: torch.Tensor
    told: int | None

    @property
    def spec(self) -> ArraySpec:
        """The array that the method believes in."""
        return self.scene.spec

    @property
    def snapshots(self) -> torch.Tensor:
        """Y, (B, N, L)."""
        return self.clean + self.noise

    @property
    def sigma(self) -> torch.Tensor:
        """Standard deviation (B, 1, 1) of the noise that the model has."""
        return self.scene.noise_power.sqrt()[:, None, None]

    def received_by(self, response: torch.Tensor) -> "Trial":
        """The same sources by another response C A, (B, N, P)."""
        return replace(self, clean=response @ (self.scene.power.sqrt()[..., None] * self.waveforms))

    def heard_as(self, snapshots: torch.Tensor) -> "Trial":
        """The same truth with other snapshots Y."""
        return replace(self, clean=snapshots, noise=torch.zeros_like(snapshots))


def draw_trial(
    batches: int, generator: torch.Generator, array: str = "ula8", sources: int = 2, snr_db: float = 10.0,
    snapshots: int = 200, azimuth_deg: torch.Tensor | None = None, power_db: Sequence[float] | None = None,
    waveforms: torch.Tensor | None = None, separation_deg: float = 10.0, told: int | None = -1,
) -> Trial:  # fmt: skip
    """Batches of the model: of directions of the prior, separation_deg apart at least, or of those that are given.

    azimuth_deg: (B, P) or (P,), anywhere. power_db: (P,), else of the prior. waveforms: (B, P, L), else Gaussian.
    told: the number of sources that the method is told, None: it counts them; default the true one.
    """
    spec = load_spec(array)
    if azimuth_deg is not None:
        sources = azimuth_deg.shape[-1]
    scene = draw_scene(spec, batches, max(sources, 1), snr_db, generator)
    if azimuth_deg is None:
        apart = replace(spec, min_separation_deg=max(separation_deg, spec.min_separation_deg))
        azimuth = draw_azimuth(apart, batches, max(sources, 1), generator)
    else:
        azimuth = azimuth_deg.double().deg2rad().expand(batches, -1)
    scene = replace(scene, azimuth=azimuth)
    if power_db is not None:
        given = torch.tensor(power_db, dtype=torch.float64).expand(batches, -1)
        scene = replace(scene, power=10 ** (given / 10))
    if sources == 0:
        scene = replace(scene, azimuth=scene.azimuth[:, :0], power=scene.power[:, :0])
    s = waveforms
    if s is None:
        s = draw_waveforms("gaussian", batches, sources, snapshots, generator)
    noise = scene.noise_power.sqrt()[:, None, None] * normal((batches, spec.n_elements, s.shape[2]), generator)
    trial = Trial(scene, s, noise, noise, (sources or None) if told == -1 else told)
    return trial.received_by(scene.response)


def normal(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Circular complex normal numbers of unit power."""
    return torch.view_as_complex(torch.randn(*shape, 2, dtype=torch.float64, generator=generator)) / math.sqrt(2)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Real numbers between low and high."""
    return low + (high - low) * torch.rand(*shape, dtype=torch.float64, generator=generator)


def turns(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Complex numbers of modulus 1 and any phase."""
    phase = uniform(shape, 0, 2 * math.pi, generator)
    return torch.polar(torch.ones_like(phase), phase)


def coupled_steering(
    trial: Trial,
    positions: torch.Tensor,  # shape: (N, 3), wavelengths
    azimuth: torch.Tensor,  # shape: (B, P), rad
    elevation: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """C A (B, N, P) with the trial's coupling and elements that stand elsewhere."""
    return trial.scene.coupling @ steering(positions, azimuth, elevation).to(torch.complex128)
