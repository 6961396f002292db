"""One array and the prior over what it may receive, as the rest of the library takes it."""

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from doamc.errors import EstimatorError
from doamc.spec.family import family_of
from doamc.spec.geometry import METRES, positions_of
from doamc.spec.mount import Mount
from doamc.spec.numbering import NUMBERING
from doamc.spec.tuning import at_frequency, in_wavelengths_at

if TYPE_CHECKING:
    import numpy as np
    import torch

    from doamc.arrays.element_pattern import ElementPattern
    from doamc.coupling.coefficients import CoefficientFamily
    from doamc.coupling.family import CouplingFamily

#: room below and above the noise powers that the range of SNR means, dB: a batch may be better than was expected,
#: and one that is much worse says nothing anyway
NOISE_BELOW_DB, NOISE_ABOVE_DB = 20.0, 10.0


@dataclass(frozen=True)
class ArraySpec:
    """One array and the prior over what it may receive. Angles in degrees and powers in dB, as in the file.

    geometry: the table of the file, in wavelengths, or in metres and to be `tuned`.
    azimuth_deg: sector [low, high]; 360 wide means a full circle.
    elevation_deg: elevations [low, high] that sources come from; None for the horizon alone, where none is searched.
    min_separation_deg: least separation of two sources, as a great-circle angle where they have elevations. coupling:
    family, magnitude ranges, phase half-width.
    frequency: in use, relative to that of design; geometry is in wavelengths in use. frequency_hz: for which the
    wavelengths hold, where that is told; of one in metres, the one to take where nothing else is told.
    channels: element of each stream of a receiver, (0, 1, ..., N-1) where streams and elements are numbered alike.
    mount: how the array is turned on its mast, where that is told. like: the shipped array that it was made from.
    source: what `load_spec` was given, name or path, for a command to name the array by; empty where it was not.
    own_family: coupling family in the place of that of the table (see `with_family`).
    element: pattern of the elements, None for isotropic ones. power_db: range of source powers as an element receives
    them; incident_power_db: as an isotropic element would, which is that of the table, None where it is the same.
    """

    name: str
    description: str
    geometry: dict[str, Any]
    azimuth_deg: tuple[float, float]
    min_separation_deg: float
    coupling: dict[str, Any]
    source_count: tuple[int, int]
    power_db: tuple[float, float]
    snapshot_count: tuple[int, int]
    snr_db: tuple[float, float]
    table: dict[str, Any] = field(repr=False, compare=False)
    frequency: float = 1.0
    frequency_hz: float | None = None
    channels: tuple[int, ...] = ()
    mount: Mount | None = None
    like: str | None = None
    source: str = field(default="", repr=False, compare=False)
    own_family: "CouplingFamily | None" = field(default=None, repr=False, compare=False)
    elevation_deg: tuple[float, float] | None = None
    element: "ElementPattern | None" = None
    incident_power_db: tuple[float, float] | None = None

    @cached_property
    def positions(self) -> "torch.Tensor":
        """Element positions in wavelengths, (N, 3)."""
        return self.tuned(None).positions if self.in_metres else positions_of(self.geometry)

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        g = self.geometry
        if g["kind"] == "positions":
            return len(g["points_m" if self.in_metres else "points_wavelengths"])
        return int(g["rows"] * g["columns"] if g["kind"] == "ura" else g["elements"])

    @property
    def heading_deg(self) -> float | None:
        """Bearing of the +x axis, clockwise from true north, by its mount; None where that is not told."""
        return None if self.mount is None else self.mount.heading_deg

    @property
    def in_metres(self) -> bool:
        """Whether lengths are in metres, so that wavelengths follow the frequency: see `tuned`."""
        return not METRES.keys().isdisjoint(self.geometry)

    @cached_property
    def wave_xy(self) -> "np.ndarray":
        """2 pi x and 2 pi y of the elements, (N, 2): by the direction of a wave at elevation 0, its phases."""
        return (2 * math.pi * self.positions[:, :2]).contiguous().numpy()

    @cached_property
    def family(self) -> "CouplingFamily":
        """Coupling family with its prior: the one given, else that of the table."""
        return family_of(self) if self.own_family is None else self.own_family

    def with_family(self, family: "CouplingFamily") -> "ArraySpec":
        """The same array with another coupling family, such as one kind of a prior, or what was learnt of it.

        The family holds at the frequency in use: `at` and `tuned` go back to that of the table.
        """
        return replace(self, own_family=family)

    @property
    def directional(self) -> bool:
        """Whether the coupling is a series over direction, by [coupling.directional]."""
        from doamc.coupling.directional import DirectionalFamily

        return isinstance(self.family, DirectionalFamily)

    @property
    def coefficient_family(self) -> "CoefficientFamily":
        """The family of free coefficients in ranges, whatever series these are of; raises as `plain_family`."""
        from doamc.coupling.directional import DirectionalFamily

        return self.family.base if isinstance(self.family, DirectionalFamily) else self.plain_family

    @property
    def plain_family(self) -> "CoefficientFamily":
        """The coupling family, for methods that need one of free coefficients in ranges.

        Raises EstimatorError where the coupling is drawn from antennas, or depends on direction.
        """
        from doamc.coupling.coefficients import CoefficientFamily

        if self.directional:
            raise EstimatorError(
                f"expected a coupling that is the same from everywhere, found [coupling.directional] in {self.name}; "
                "use method posterior, map, ml or rare, or leave the table out"
            )
        if not isinstance(self.family, CoefficientFamily):
            raise EstimatorError(
                f"expected a coupling family with ranges of magnitude, found one drawn from antennas in {self.name}; "
                "use method posterior, or one that needs no such family"
            )
        return self.family

    @property
    def sector_rad(self) -> tuple[float, float]:
        """Azimuth sector in radians."""
        return math.radians(self.azimuth_deg[0]), math.radians(self.azimuth_deg[1])

    @property
    def elevated(self) -> bool:
        """Whether sources have elevations, which are then estimated beside their azimuths."""
        return self.elevation_deg is not None

    @property
    def elevation_rad(self) -> tuple[float, float]:
        """Range of elevations in radians; (0, 0), the horizon, where there is none."""
        low, high = self.elevation_deg or (0.0, 0.0)
        return math.radians(low), math.radians(high)

    @cached_property
    def alike(self) -> str | None:
        """What it cannot tell apart of directions with elevations, in words; None where there is no such thing."""
        from doamc.spec.elevation import alike_of

        return alike_of(self)

    @property
    def noise_db(self) -> tuple[float, float]:
        """Range of an unknown noise power, dB: that of the SNR turned around, with room for levels beyond it."""
        low, high = self.snr_db
        return -high - NOISE_BELOW_DB, -low + NOISE_ABOVE_DB

    @property
    def full_circle(self) -> bool:
        """Whether the sector is the whole circle, so that angles wrap."""
        return self.azimuth_deg[1] - self.azimuth_deg[0] >= 360.0 - 1e-9

    @property
    def frequency_range(self) -> tuple[float, float] | None:
        """Frequencies relative to that of design that one checkpoint serves, where there is more than one."""
        given = self.table.get("antenna", {}).get("frequency_range")
        return given and (float(given[0]), float(given[1]))

    def at(self, frequency: float) -> "ArraySpec":
        """The same array at a frequency relative to that of design: every distance in wavelengths grows with it.

        Raises SpecificationError further than `REACH` from that of design, or where its coupling is drawn and the prior
        does not hold there.
        """
        return at_frequency(self, frequency)

    def tuned(self, frequency_hz: float | None) -> "ArraySpec":
        """An array in metres as an ordinary one in wavelengths at a frequency (None: at its own); others as they are.

        Weights and calibrations belong to wavelengths. Those made at the specification's own frequency also serve
        within `SAME_FREQUENCY` of it, and so does a prior of antennas, which holds beyond only where it has a range.
        Raises SpecificationError when no frequency is known or the prior does not hold there.
        """
        return in_wavelengths_at(self, frequency_hz)

    @property
    def digest(self) -> str:
        """Fingerprint of geometry, sector and coupling family: what a checkpoint must agree with."""
        part = {k: self.table[k] for k in ("geometry", "sector", "coupling")}
        if self.element is not None:
            part["element"] = self.table["element"]
        part["geometry"] = {k: v for k, v in part["geometry"].items() if k not in NUMBERING}  # cables, not antennas
        if self.coupling["family"] == "drawn":  # what the prior file holds counts, not where it lies
            from doamc.coupling.drawn_file import file_digest

            part["coupling"] = {"family": "drawn", "prior": file_digest(self.coupling["prior"])}
        elif self.coupling.get("directional", {}).get("order") == 0:  # no series at all
            part["coupling"] = {k: v for k, v in part["coupling"].items() if k != "directional"}
        return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def names(self) -> tuple[str, ...]:
        """Names under which weights may lie that fit: its own, and that of `like` while the digest is the same."""
        from doamc.spec.loading import load_spec

        alike = self.like is not None and load_spec(self.like).digest == self.digest
        return (self.name, self.like) if alike and self.like else (self.name,)
