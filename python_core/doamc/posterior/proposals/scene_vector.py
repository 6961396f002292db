"""The scene as a real vector: what the score network diffuses.

z = [a smooth coordinate per azimuth, power per source, coupling parameters, noise power], each standardised by
the prior. Sources are sorted by azimuth; slots past the number of sources are zero and masked.
"""

import math
from dataclasses import dataclass

import torch

from doamc.scenes.prior import Scene
from doamc.spec import ArraySpec

NOISE_DB = 12.0  #: scale of the noise coordinate


@dataclass(frozen=True)
class StateLayout:
    """Where each part of a scene lies in z, and its standardisation.

    mean, scale: (D,) float32 of the prior. D = (1 or 2) P_max + P_max + 2 K + 1 (K for a drawn family).
    """

    spec: ArraySpec
    mean: torch.Tensor
    scale: torch.Tensor

    @property
    def max_sources(self) -> int:
        """Largest number of sources P_max."""
        return self.spec.source_count[1]

    @property
    def n_angle(self) -> int:
        """Number of azimuth coordinates: sin az on a sector, cos az and sin az on a full circle."""
        return self.max_sources * (2 if self.spec.full_circle else 1)

    @property
    def size(self) -> int:
        """Length D of z."""
        return self.n_angle + self.max_sources + self.spec.family.n_parameters + 1

    def mask(self, n_sources: torch.Tensor) -> torch.Tensor:
        """Which coordinates exist for P = n_sources (B,): (B, D) float32 of 0 and 1."""
        slot = (torch.arange(self.max_sources, device=n_sources.device) < n_sources[:, None]).float()
        copies = [slot] * (3 if self.spec.full_circle else 2)
        rest = slot.new_ones(len(slot), self.size - len(copies) * self.max_sources)
        return torch.cat([*copies, rest], 1)

    def encode(self, scene: Scene) -> torch.Tensor:
        """Z (B, D) float32 of scenes with P <= P_max sources each."""
        pad = (0, self.max_sources - scene.azimuth.shape[1])
        angles = self.angle_coordinates(scene.azimuth)
        parts = [torch.nn.functional.pad(a, pad) for a in (*angles, 10 * scene.power.log10())]
        z = torch.cat([*parts, scene.theta, -10 * scene.noise_power.log10()[:, None]], 1).float()
        count = torch.full((len(z),), scene.azimuth.shape[1], device=z.device)
        return (z - self.mean) / self.scale * self.mask(count)

    def angle_coordinates(self, azimuth: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Smooth coordinates of azimuths in rad, same shape each."""
        return (azimuth.cos(), azimuth.sin()) if self.spec.full_circle else (self._stretch(azimuth),)

    def decode(
        self,
        z: torch.Tensor,  # shape: (..., D)
        n_sources: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Azimuth (..., P) rad, power in dB (..., P), theta (..., 2 K) and noise in dB (...,), float64, not clipped."""
        x = (z * self.scale + self.mean).double()
        m, a = self.max_sources, self.n_angle
        if self.spec.full_circle:
            low = self.spec.sector_rad[0]
            azimuth = torch.atan2(x[..., m : m + n_sources], x[..., :n_sources])
            azimuth = torch.remainder(azimuth - low, 2 * math.pi) + low
        else:
            azimuth = self._unstretch(x[..., :n_sources])
        return azimuth, x[..., a : a + n_sources], x[..., a + m : -1], -x[..., -1]

    def _stretch(self, azimuth: torch.Tensor) -> torch.Tensor:
        low, high = self.spec.sector_rad
        return azimuth.sin() if high - low < math.pi and max(-low, high) < math.pi / 2 else azimuth

    def _unstretch(self, x: torch.Tensor) -> torch.Tensor:
        low, high = self.spec.sector_rad
        if high - low < math.pi and max(-low, high) < math.pi / 2:
            return x.clamp(math.sin(low), math.sin(high)).asin()
        return x.clamp(low, high)


def make_layout(spec: ArraySpec) -> StateLayout:
    """Layout of a specification; the standardisation comes from its prior in closed form or by a fixed draw."""
    m = spec.source_count[1]
    empty = StateLayout(spec, torch.zeros(1, dtype=torch.float32), torch.ones(1, dtype=torch.float32))
    low, high = spec.sector_rad
    coordinates = empty.angle_coordinates(torch.linspace(low, high, 2001, dtype=torch.float64))
    mean = [float(c.mean()) for c in coordinates for _ in range(m)]
    scale = [float(c.std()) for c in coordinates for _ in range(m)]
    mean += [0.5 * sum(spec.power_db)] * m
    scale += [max(0.5, (spec.power_db[1] - spec.power_db[0]) / math.sqrt(12))] * m
    theta = spec.family.draw((20000,), torch.Generator().manual_seed(0))
    mean += theta.mean(0).tolist()
    scale += theta.std(0).clamp_min(1e-6).tolist()
    mean.append(0.5 * sum(spec.snr_db))
    scale.append(NOISE_DB)
    return StateLayout(spec, torch.tensor(mean, dtype=torch.float32), torch.tensor(scale, dtype=torch.float32))
