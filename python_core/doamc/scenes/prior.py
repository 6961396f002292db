"""A seeded prior over scenes, drawn in batches."""

import math
from dataclasses import dataclass, fields, replace

import torch

from doamc.coupling.directional import DirectionalFamily
from doamc.scenes.directions import draw_directions
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class Scene:
    """A batch of scenes of one array.

    azimuth: (B, P) rad, ascending. power: (B, P) linear, relative to a 0 dB source, as an element receives it, which
    is less than what is incident where elements have a pattern. theta: (B, 2 K) real coupling parameters.
    noise_power: (B,) per element, linear. elevation: (B, P) rad, None where all are at the horizon.
    """

    spec: ArraySpec
    azimuth: torch.Tensor
    power: torch.Tensor
    theta: torch.Tensor
    noise_power: torch.Tensor
    elevation: torch.Tensor | None = None

    def select(self, index: torch.Tensor) -> "Scene":
        """Some of the scenes."""
        held = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "spec"}
        return replace(self, **{k: v[index] for k, v in held.items() if v is not None})

    @property
    def incident_power(self) -> torch.Tensor:
        """Powers (B, P) that isotropic elements would receive."""
        pattern = self.spec.element
        return self.power if pattern is None else self.power / pattern.power(self.azimuth, self.elevation)

    @property
    def coupling(self) -> torch.Tensor:
        """Coupling matrices C, (B, N, N)."""
        return self.spec.family.matrix(self.theta)

    @property
    def coupling_by_direction(self) -> torch.Tensor | None:
        """C(az, el) of every source, (B, P, N, N); None unless the coupling is a series over direction."""
        family = self.spec.family
        if not isinstance(family, DirectionalFamily):
            return None
        return family.matrices(self.theta, self.azimuth, 0.0 if self.elevation is None else self.elevation)

    @property
    def response(self) -> torch.Tensor:
        """C A(theta), (B, N, P); that of a family whose response depends on direction, with its own C a."""
        elevation = 0.0 if self.elevation is None else self.elevation
        return self.spec.family.response(self.theta, self.spec.positions, self.azimuth, elevation)

    @property
    def signal_covariance(self) -> torch.Tensor:
        """Covariance of the clean snapshots C A P A^H C^H, (B, N, N), for uncorrelated sources."""
        v = self.response
        return (v * self.power[:, None]) @ v.mH

    @property
    def covariance(self) -> torch.Tensor:
        """Covariance of the received snapshots C A P A^H C^H + s2 I, (B, N, N)."""
        eye = torch.eye(self.spec.n_elements, dtype=torch.complex128)
        return self.signal_covariance + self.noise_power[:, None, None] * eye


def draw_azimuth(spec: ArraySpec, batch: int, n_sources: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Ascending azimuths (B, P) in rad, uniform over the sector subject to the least separation.

    Drawn without rejection: with gaps g_i >= d, subtracting the least gaps leaves plain sorted uniforms (line) or
    flat Dirichlet gaps (circle), so the law is exactly that of rejection sampling.
    """
    low, high = spec.sector_rad
    gap = math.radians(spec.min_separation_deg)
    u = torch.rand(batch, n_sources + 1, dtype=torch.float64, generator=generator)
    if not spec.full_circle:
        x = u[:, :n_sources].sort(1)[0] * (high - low - gap * (n_sources - 1))
        # the gaps in single precision, in which the draws of all seeds were made
        return low + x + gap * torch.arange(n_sources, dtype=torch.float32)
    share = -u[:, :n_sources].clamp_min(1e-300).log()
    share = share / share.sum(1, keepdim=True) * (high - low - gap * n_sources) + gap
    turn = u[:, n_sources:] * (high - low)
    return low + ((turn + share.cumsum(1)) % (high - low)).sort(1)[0]


def draw_scene(
    spec: ArraySpec,
    batch: int,
    n_sources: int,
    snr_db: float | tuple[float, float] | None = None,
    generator: torch.Generator | None = None,
) -> Scene:
    """Scenes from the prior of a specification.

    snr_db: power of a 0 dB source over the noise power, before coupling; a number, a range (uniform in dB) or None
    for the range of the specification.
    """
    elevation = None
    if spec.elevated:
        azimuth, elevation = draw_directions(spec, batch, n_sources, generator)
    else:
        azimuth = draw_azimuth(spec, batch, n_sources, generator)
    theta = spec.family.draw((batch,), generator)
    u = torch.rand(batch, n_sources, dtype=torch.float64, generator=generator)
    least, most = spec.power_db if spec.incident_power_db is None else spec.incident_power_db
    power_db = least + (most - least) * u
    low, high = (snr_db, snr_db) if isinstance(snr_db, (int, float)) else (snr_db or spec.snr_db)
    level = low + (high - low) * torch.rand(batch, dtype=torch.float64, generator=generator)
    power = 10 ** (power_db / 10)
    if spec.element is not None:
        power = power * spec.element.power(azimuth, elevation)
    return Scene(spec, azimuth, power, theta, 10 ** (-level / 10), elevation)
