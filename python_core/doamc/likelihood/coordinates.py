"""Coordinates in which the prior is flat, for the exact part of the sampler.

x = [log amplitude (P), |c_k| (K), log noise power (1, only where unknown), azimuth (P), arg c_k (K)], shape (B, d, S)
with the S chains last; logarithms are natural, so that uniform in dB is uniform in x. Of arrays with elevations their
sines (P), the heights, stand before the azimuths: uniform in both is uniform on the sphere. The prior over scenes is
uniform in every one of these: the log posterior is the log likelihood inside a box (with wrapping azimuth on a full
circle and wrapping phase where it is free) and minus infinity outside. A drawn family has K real parameters of standard
normal prior in the place of |c_k| and no phases; their box is so wide that it does not matter. A series over direction
has such parameters before the |c_k|. Where sources may be
coherent, P (P - 1) / 2 angles stand before the noise and as many phases at the end (see `coherence`).
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from doamc.spec import ArraySpec

NEPER_PER_DB = math.log(10) / 20  #: of amplitude; power has twice as many
LEAST_SQUARE = 1e-12  #: of the cosine of an elevation, below which nothing is divided by it


@dataclass(frozen=True)
class Coordinates:
    """Places of the parameters in x and the box of the prior.

    low, high: (d,) of the box; a wrapping coordinate has its period as box. wraps: (d,) bool, the wrapping ones last.
    constants: by device, see `constants_of`.
    """

    spec: ArraySpec
    n_sources: int
    unknown_noise: bool
    low: torch.Tensor
    high: torch.Tensor
    wraps: torch.Tensor
    coherent: bool = False
    constants: dict[torch.device, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def n_pairs(self) -> int:
        """Number of pairs of sources with a correlation of their own; 0 where sources are uncorrelated."""
        return self.n_sources * (self.n_sources - 1) // 2 if self.coherent else 0

    @cached_property
    def n_flat(self) -> int:
        """Number of flat coordinates of the coupling family (|c_k|, or the parameters of a drawn one)."""
        return self._sizes[1]

    @cached_property
    def noise_place(self) -> int:
        """Where the log noise power lies, where it is unknown."""
        return sum(self._sizes[:3])

    @cached_property
    def n_normal(self) -> int:
        """Number of coordinates whose prior is standard normal."""
        return self.spec.family.n_normal

    @cached_property
    def normal(self) -> slice:
        """Where the coordinates of standard normal prior lie; empty where there are none."""
        return slice(self.n_sources, self.n_sources + self.n_normal)

    def log_prior(self, x: torch.Tensor) -> torch.Tensor:
        """Log density of the normal part of the prior, (B, d, S) -> (B, S), up to a constant; 0 where all is flat."""
        return -0.5 * x[:, self.normal].square().sum(1)

    @cached_property
    def size(self) -> int:
        """Dimension d."""
        return len(self.low)

    @cached_property
    def n_box(self) -> int:
        """Leading coordinates that do not wrap."""
        return int((~self.wraps).sum())

    @cached_property
    def azimuth_first(self) -> bool:
        """Whether the azimuths come before the phases; they come after where they wrap and the phases do not."""
        return not (self.spec.full_circle and self.spec.family.phase_rad < math.pi - 1e-9)

    @cached_property
    def _sizes(self) -> list[int]:
        p, flat, wrapping = self.n_sources, self.spec.family.n_flat, self.spec.family.n_wrapping
        tail = (p, wrapping) if self.azimuth_first else (wrapping, p)
        heights = p if self.spec.elevated else 0
        return [p, flat, self.n_pairs, int(self.unknown_noise), heights, *tail, self.n_pairs]

    @cached_property
    def _walls(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        low, high = self.low[: self.n_box, None], self.high[: self.n_box, None]
        return low, high, high - low

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Log amplitude (B, P, S), magnitude (B, K, S), log noise (B, 0 or 1, S), azimuth and phase."""
        amplitude, size, _, noise, _, first, second, _ = x.split(self._sizes, 1)
        azimuth, phase = (first, second) if self.azimuth_first else (second, first)
        return amplitude, size, noise, azimuth, phase

    def heights(self, x: torch.Tensor) -> torch.Tensor | None:
        """Sines of the elevations (B, P, S) at x (B, d, S); None where the array has no elevations."""
        return x.split(self._sizes, 1)[4] if self.spec.elevated else None

    def split_correlation(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Angles and phases (B, pairs, S) of the correlations between sources."""
        parts = x.split(self._sizes, 1)
        return parts[2], parts[7]

    def join(
        self,
        power_db: torch.Tensor,  # shape: (B, P, S)
        magnitude: torch.Tensor,  # shape: (B, K, S), flat coordinates of the coupling family
        noise_db: torch.Tensor,  # shape: (B, 1, S), dropped where it is known
        azimuth: torch.Tensor,  # shape: (B, P, S), rad
        phase: torch.Tensor,  # shape: (B, K, S), rad, wrapping coordinates of the family
        correlation: tuple[torch.Tensor, torch.Tensor] | None = None,  # angles and phases, each (B, pairs, S)
        elevation: torch.Tensor | None = None,  # shape: (B, P, S), rad
    ) -> torch.Tensor:
        """Coordinates (B, d, S) of scenes.

        correlation is needed where sources may be coherent, elevation where the array has elevations.
        """
        tail = [azimuth, phase] if self.azimuth_first else [phase, azimuth]
        if self.spec.elevated and elevation is not None:
            tail.insert(0, elevation.sin())
        noise = [2 * NEPER_PER_DB * noise_db] if self.unknown_noise else []
        angle, turn = correlation or (azimuth[:, :0], azimuth[:, :0])
        return torch.cat([NEPER_PER_DB * power_db, magnitude, angle, *noise, *tail, turn], 1)

    def reflect(self, x: torch.Tensor) -> torch.Tensor:
        """Points with their box coordinates reflected once at their walls: for starts, not for steps of a chain."""
        low, high, width = self._walls
        inner = high - (width - (x[:, : self.n_box] - low).abs()).abs()
        return torch.cat([inner, x[:, self.n_box :]], 1)

    def wrap(self, x: torch.Tensor) -> torch.Tensor:
        """Wrap the wrapping coordinates into their period."""
        n = self.n_box
        if n == self.size:
            return x
        low, high = self.low[n:, None], self.high[n:, None]
        return torch.cat([x[:, :n], torch.remainder(x[:, n:] - low, high - low) + low], 1)

    def clip(self, x: torch.Tensor) -> torch.Tensor:
        """Points with their box coordinates moved just inside the box."""
        low, high, width = self._walls
        inner = torch.maximum(torch.minimum(x[:, : self.n_box], high - 1e-6 * width), low + 1e-6 * width)
        return torch.cat([inner, x[:, self.n_box :]], 1)

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """Whether the box coordinates lie in the box and the azimuths keep their least separation: (B, S) bool."""
        low, high, _ = self._walls
        part = x[:, : self.n_box]
        ok = ((part >= low).logical_and_(part <= high)).all(1)
        apart = self.apart(self.split(x)[3], self.heights(x))
        return ok if apart is None else ok.logical_and_(apart)

    def apart(self, azimuth: torch.Tensor, height: torch.Tensor | None = None) -> torch.Tensor | None:
        """Whether azimuths, and heights (B, P, S), keep the least separation, (B, S); None for a single source."""
        p = self.n_sources
        if p == 1:
            return None
        gap = math.radians(self.spec.min_separation_deg)
        rows, columns = torch.triu_indices(p, p, 1)
        difference = azimuth[:, 1] - azimuth[:, 0] if p == 2 else azimuth[:, columns] - azimuth[:, rows]
        if height is not None:
            cosine = across(height)
            along = cosine[:, columns] * cosine[:, rows] * difference.reshape(len(azimuth), -1, azimuth.shape[2]).cos()
            return (along + height[:, columns] * height[:, rows] < math.cos(gap)).all(1)
        ok = difference.cos() < math.cos(gap) if self.spec.full_circle else difference.abs() > gap
        return ok if p == 2 else ok.all(1)


def across(height: torch.Tensor) -> torch.Tensor:
    """Cosines of elevations of which heights are the sines."""
    return (1 - height.square()).clamp_min(LEAST_SQUARE).sqrt()


def make_coordinates(
    spec: ArraySpec,
    n_sources: int,
    unknown_noise: bool,
    noise_db: tuple[float, float],
    power_margin_db: float = 0.0,
    device: str | torch.device = "cpu",
    coherent: bool = False,
) -> Coordinates:
    """Coordinates of a specification for P sources.

    noise_db: range of an unknown noise power. power_margin_db: by how much the range of source powers is widened at
    both ends, for batches whose level says nothing. coherent: sources may be correlated.
    """
    p, family, phase = n_sources, spec.family, spec.family.phase_rad
    margin = power_margin_db
    power = (NEPER_PER_DB * (spec.power_db[0] - margin), NEPER_PER_DB * (spec.power_db[1] + margin))
    noise = [(2 * NEPER_PER_DB * noise_db[0], 2 * NEPER_PER_DB * noise_db[1])] if unknown_noise else []
    tail = [[(*spec.sector_rad, spec.full_circle)] * p, [(-phase, phase, phase >= math.pi - 1e-9)] * family.n_wrapping]
    if spec.full_circle and phase < math.pi - 1e-9:
        tail.reverse()
    box, pairs = family.flat_range.tolist(), p * (p - 1) // 2 if coherent else 0
    low_high = [math.sin(e) for e in spec.elevation_rad]
    heights = [(low_high[0], low_high[1])] * p if spec.elevated else []
    flat = [power] * p + box + [(0.0, math.pi / 2)] * pairs + noise + heights
    rows = [(*r, False) for r in flat] + tail[0] + tail[1]
    rows += [(-math.pi, math.pi, True)] * pairs
    if [r[2] for r in rows] != sorted(r[2] for r in rows):  # azimuth wraps only where the phases do
        raise AssertionError("wrapping coordinates must be last")
    low, high = (torch.tensor([r[i] for r in rows], dtype=torch.float64, device=device) for i in (0, 1))
    wraps = torch.tensor([r[2] for r in rows], device=device)
    return Coordinates(spec, p, unknown_noise, low, high, wraps, coherent)
