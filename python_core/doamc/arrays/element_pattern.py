"""What one element receives of a wave by its direction: amplitude patterns that all elements of an array share.

    isotropic        1
    short-dipole     cos el                              a vertical wire, short against the wavelength
    half-wave-dipole cos(pi/2 sin el) / cos el           [Balanis, Antenna Theory, eq. (4-84)]
    patch            (cos el cos az)^q                   looking along +x, nothing from behind

Each is 1 in its best direction. A factor that all elements share leaves the shape of a response as it is: of an emitter
at az, el the array receives what an isotropic one would of an emitter g(az, el)^2 times as strong.
"""

import math
from dataclasses import dataclass

import torch

PATTERNS = ("isotropic", "short-dipole", "half-wave-dipole", "patch")
LEAST_GAIN = 0.01  #: amplitude below which a power is not divided by it: real antennas have no deeper nulls
_POLE = 1e-6  #: cosine of an elevation, below which the half-wave dipole is taken for its limit


@dataclass(frozen=True)
class ElementPattern:
    """One of `PATTERNS`; exponent: q of a patch, of the amplitude."""

    kind: str = "isotropic"
    exponent: float = 1.0

    def gain(self, azimuth: torch.Tensor, elevation: torch.Tensor) -> torch.Tensor:
        """Amplitudes g >= 0 for azimuths and elevations in rad, of shapes that broadcast."""
        level = elevation.cos().clamp_min(0.0)
        if self.kind == "short-dipole":
            return level * torch.ones_like(azimuth)
        if self.kind == "half-wave-dipole":
            shape = (math.pi / 2 * elevation.sin()).cos() / level.clamp_min(_POLE)
            return torch.where(level > _POLE, shape, math.pi / 4 * level) * torch.ones_like(azimuth)
        if self.kind == "patch":
            return (level * azimuth.cos()).clamp_min(0.0) ** self.exponent
        return torch.ones_like(azimuth * elevation)

    def slopes(self, azimuth: torch.Tensor, elevation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Derivatives of `gain` by azimuth and by elevation, per rad; 0 where nothing is received."""
        one = torch.ones_like(azimuth * elevation)
        rise, level = elevation.sin(), elevation.cos().clamp_min(0.0)
        if self.kind == "short-dipole":
            return 0 * one, -rise * one
        if self.kind == "half-wave-dipole":
            quarter = math.pi / 2
            slope = -quarter * (quarter * rise).sin() + self.gain(azimuth, elevation) * rise / level.clamp_min(_POLE)
            return 0 * one, torch.where(level > _POLE, slope, -math.pi / 4 * rise) * one
        if self.kind == "patch":
            ahead = (level * azimuth.cos()).clamp_min(0.0)
            outer = torch.where(ahead > 0, self.exponent * ahead.clamp_min(1e-300) ** (self.exponent - 1), 0.0)
            return -outer * level * azimuth.sin(), -outer * rise * azimuth.cos()
        return 0 * one, 0 * one

    def power(self, azimuth: torch.Tensor, elevation: torch.Tensor | None) -> torch.Tensor:
        """Factor on powers by which they are divided, g^2, no less than `LEAST_GAIN`^2; elevation None: the horizon."""
        level = torch.zeros_like(azimuth) if elevation is None else elevation
        return self.gain(azimuth, level).clamp_min(LEAST_GAIN).square()
