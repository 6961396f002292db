"""An array outside its family, and emitters that move past it."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from doamc.arrays.steering import steering
from doamc.scenes.wishart import draw_covariance
from doamc.selfcal.observation import Observation, at_level
from doamc.selfcal.start import reciprocal_patterns
from doamc.spec import ArraySpec, load_spec


@dataclass
class World:
    """One array with its coupling (N, N). rng draws powers and sample covariances."""

    spec: ArraySpec
    coupling: torch.Tensor
    rng: np.random.Generator
    snr_db: float = 15.0
    snapshots: int = 256

    def covariance(self, azimuth: torch.Tensor) -> torch.Tensor:
        """Sample covariance (1, N, N) of emitters at azimuths (P,) in rad, of 0 to -6 dB."""
        v = self.coupling @ steering(self.spec.positions, azimuth).to(torch.complex128)
        power = torch.from_numpy(10 ** (-0.6 * self.rng.random(len(azimuth))))
        noise = 10 ** (-self.snr_db / 10) * torch.eye(len(v), dtype=torch.complex128)
        r = (v * power) @ v.mH + noise
        return draw_covariance(r[None], torch.tensor([float(self.snapshots)]), self.rng)

    def observe(self, azimuth: torch.Tensor) -> Observation:
        """What a batch says."""
        return at_level(self.covariance(azimuth), float(self.snapshots), None, len(azimuth))

    def nmse_db(self, coupling: torch.Tensor) -> float:
        """How far a coupling (N, N) is from the truth."""
        error = (coupling - self.coupling).abs().square().sum() / self.coupling.abs().square().sum()
        return float(10 * error.log10())


def outside(array: str, seed: int, outside_db: float = -15.0) -> World:
    """An array that is a member of its family plus a random symmetric matrix of so much of its power."""
    spec, generator = load_spec(array), torch.Generator().manual_seed(seed)
    member = spec.family.matrix(spec.family.draw((1,), generator))[0]
    power = 10 ** (outside_db / 10) * float(member.abs().square().sum())
    patterns = reciprocal_patterns(spec.n_elements, power)
    weights = torch.randn(len(patterns), generator=generator, dtype=torch.float64)
    coupling = member + (weights.to(torch.complex128) @ patterns.flatten(1)).view_as(member)
    return World(spec, coupling, np.random.default_rng(seed))


def moving(time_s: float) -> torch.Tensor:
    """Azimuths (2,) in rad of a pair that swings while its opening changes from 10 to 66 degrees."""
    middle = 25 * math.sin(2 * math.pi * time_s / 29 + 0.5)
    half = 19 + 14 * math.sin(2 * math.pi * time_s / 13)
    return torch.tensor([middle - half, middle + half], dtype=torch.float64).deg2rad()


def apart(found: torch.Tensor, azimuth: torch.Tensor) -> torch.Tensor:
    """Errors (P,) in rad of bearings found, in the order, up to a turn of the list, that makes them least."""
    found = found.sort()[0]
    errors = [found.roll(k) - azimuth for k in range(len(azimuth))]
    return min((torch.atan2(e.sin(), e.cos()) for e in errors), key=lambda e: float(e.abs().max()))
