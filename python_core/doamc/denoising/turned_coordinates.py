"""Coordinates of a scene with a phase for every emitter: what a message says of a waveform has a phase of its own."""

import math
from dataclasses import dataclass

import torch

from doamc.likelihood.coordinates import Coordinates


@dataclass(frozen=True)
class TurnedCoordinates(Coordinates):
    """Coordinates [x, psi], x (d) of a scene and psi (P) in rad, free and wrapping, of its emitters."""

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """That of the scene."""
        return super().split(self.scene(x))

    def scene(self, x: torch.Tensor) -> torch.Tensor:
        """Coordinates of the scene, (B, d + P, S) -> (B, d, S)."""
        return x[:, : -self.n_sources]

    def turn(self, x: torch.Tensor) -> torch.Tensor:
        """e^{j psi}, (B, P, S)."""
        psi = x[:, -self.n_sources :]
        return torch.polar(torch.ones_like(psi), psi)

    def turned(self, x: torch.Tensor) -> torch.Tensor:
        """Points of scenes (B, d, S) with phases of zero."""
        return torch.cat([x, x.new_zeros(x.shape[0], self.n_sources, x.shape[2])], 1)


def turned_coordinates(c: Coordinates) -> TurnedCoordinates:
    """Coordinates of the same scenes, with phases."""
    psi = c.low.new_full((c.n_sources,), math.pi)
    walls = torch.cat([c.low, -psi]), torch.cat([c.high, psi]), torch.cat([c.wraps, torch.ones_like(psi).bool()])
    return TurnedCoordinates(c.spec, c.n_sources, c.unknown_noise, *walls)
