"""Array specifications: geometry, sector, coupling family with its prior, sources, snapshots, SNR; as TOML."""

import hashlib
import json
import math
import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc import spec_checks as checks
from doamc.errors import EstimatorError, SpecificationError
from doamc.files.small_file import read_toml
from doamc.text import shown

if TYPE_CHECKING:
    import torch

    from doamc.coupling.drawn import DrawnFamily
    from doamc.coupling.families import CouplingFamily

SHIPPED = Path(__file__).parent / "specs"
SPEED_OF_LIGHT = 299_792_458.0
#: frequencies closer than this, relative, count as one: a line of antennas is then off by half a degree at 60 degrees
SAME_FREQUENCY = 0.005
REACH = 100.0  #: how far, as a factor, an array may be taken from its frequency of design


@dataclass(frozen=True)
class ArraySpec:
    """One array and the prior over what it may receive. Angles in degrees and powers in dB, as in the file.

    geometry: the table of the file, in wavelengths, or in metres and to be `tuned`.
    azimuth_deg: sector [low, high]; 360 wide means a full circle.
    min_separation_deg: least separation of two sources. coupling: family, magnitude ranges, phase half-width.
    frequency: in use, relative to that of design; geometry is in wavelengths in use. frequency_hz: for which the
    wavelengths hold, where that is told; of one in metres, the one to take where nothing else is told.
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

    @cached_property
    def positions(self) -> "torch.Tensor":
        """Element positions in wavelengths, (N, 3)."""
        import torch

        from doamc import arrays

        if self.in_metres:
            return self.tuned(None).positions
        g = self.geometry
        if g["kind"] == "ula":
            return arrays.ula(g["elements"], g.get("spacing_wavelengths", 0.5))
        if g["kind"] == "uca":
            return arrays.uca(g["elements"], g["radius_wavelengths"])
        if g["kind"] == "ura":
            return arrays.ura(g["rows"], g["columns"], g.get("spacing_wavelengths", 0.5))
        points = torch.as_tensor(g["points_wavelengths"], dtype=torch.float64)
        return torch.nn.functional.pad(points, (0, 3 - points.shape[1]))

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        g = self.geometry
        if g["kind"] == "positions":
            return len(g["points_m" if self.in_metres else "points_wavelengths"])
        return int(g["rows"] * g["columns"] if g["kind"] == "ura" else g["elements"])

    @property
    def in_metres(self) -> bool:
        """Whether lengths are in metres, so that wavelengths follow the frequency: see `tuned`."""
        return not checks.METRES.keys().isdisjoint(self.geometry)

    @cached_property
    def family(self) -> "CouplingFamily | DrawnFamily":
        """Coupling family with its prior."""
        from doamc.coupling.drawn import load_drawn_family
        from doamc.coupling.families import make_family

        c = self.coupling
        if c["family"] == "drawn":
            family = load_drawn_family(c["prior"], self.frequency)
            if family.n_elements != self.n_elements:
                found = f"{family.n_elements} elements, the geometry has {self.n_elements}"
                raise SpecificationError(f"[coupling] prior {c['prior']} is for {found}")
            return family
        return make_family(
            c["family"], self.n_elements, c["magnitude"], c.get("phase_deg", 180.0), c.get("diagonal", 0.1)
        )

    @property
    def plain_family(self) -> "CouplingFamily":
        """The coupling family, for methods that need one of free coefficients in ranges.

        Raises EstimatorError where the coupling is drawn from antennas.
        """
        from doamc.coupling.families import CouplingFamily

        if not isinstance(self.family, CouplingFamily):
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
        if not 1 / REACH <= frequency <= REACH:
            raise SpecificationError(
                f"expected a frequency within a factor {REACH:g} of that of design, found a factor {frequency:g}"
            )
        ratio = frequency / self.frequency
        geometry = checks.scaled_geometry(self.geometry, ratio)
        # networks that are told the frequency are trained for the array of design, others for one geometry
        table = self.table if self.frequency_range or ratio == 1.0 else self.table | {"geometry": geometry}
        hertz = None if self.frequency_hz is None else self.frequency_hz * ratio
        spec = replace(self, geometry=geometry, frequency=frequency, frequency_hz=hertz, table=table)
        _ = spec.family  # its own checks
        return spec

    def tuned(self, frequency_hz: float | None) -> "ArraySpec":
        """An array in metres as an ordinary one in wavelengths at a frequency (None: at its own); others as they are.

        Weights and calibrations belong to wavelengths. Those made at the specification's own frequency also serve
        within `SAME_FREQUENCY` of it, and so does a prior of antennas, which holds beyond only where it has a range.
        Raises SpecificationError when no frequency is known or the prior does not hold there.
        """
        if not self.in_metres:
            return self
        hertz = frequency_hz or self.frequency_hz
        if hertz is None:
            raise SpecificationError(
                f"array {self.name} is in metres, found no frequency to take its wavelengths at; name it as ARRAY@HZ, "
                "add frequency_hz = HZ to the file, or tell that of the signals (--frequency)"
            )
        if not 1.0 <= hertz <= 1e12:
            raise SpecificationError(f"expected a frequency of 1 Hz to 1 THz for array {self.name}, found {hertz:g} Hz")
        design = self.table.get("antenna", {}).get("design_frequency_hz")
        known = design or self.frequency_hz
        near = known is not None and abs(hertz / known - 1) <= SAME_FREQUENCY
        if self.frequency_range and known:
            return self._resolved(known, known, 1.0).at(hertz / known)
        if self.coupling["family"] == "drawn" and not near:
            held = "its [antenna] design_frequency_hz, which is missing" if known is None else f"{known:g} Hz"
            raise SpecificationError(f"the prior of array {self.name} holds at {held}, found {hertz:g} Hz")
        return self._resolved(hertz, known if known and near else hertz, 1.0)

    def _resolved(self, frequency_hz: float, trained_hz: float, frequency: float) -> "ArraySpec":
        geometry, trained = (
            checks.in_wavelengths(self.geometry, SPEED_OF_LIGHT / f) for f in (frequency_hz, trained_hz)
        )
        table = {k: v for k, v in self.table.items() if k != "frequency_hz"} | {"geometry": trained}
        return replace(self, geometry=geometry, table=table, frequency=frequency, frequency_hz=frequency_hz)

    @property
    def digest(self) -> str:
        """Fingerprint of geometry, sector and coupling family: what a checkpoint must agree with."""
        part = {k: self.table[k] for k in ("geometry", "sector", "coupling")}
        if self.coupling["family"] == "drawn":  # what the prior file holds counts, not where it lies
            from doamc.coupling.drawn import file_digest

            part["coupling"] = {"family": "drawn", "prior": file_digest(self.coupling["prior"])}
        return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]


def shipped_arrays() -> list[str]:
    """Names of the specifications that ship with the library."""
    return sorted(p.stem for p in SHIPPED.glob("*.toml"))


def load_spec(name_or_path: "str | Path | ArraySpec", tunable: bool = False) -> ArraySpec:
    """Specification by shipped name or TOML path, or either at a frequency, NAME@HZ.

    tunable: leave one in metres as it is, for the caller to tune; else it is taken at its own ``frequency_hz``.
    Raises SpecificationError that names what is wrong.
    """
    if isinstance(name_or_path, ArraySpec):
        return name_or_path if tunable else name_or_path.tuned(None)
    text, _, frequency_hz = str(name_or_path).rpartition("@")
    table, path = read_table(text or name_or_path)
    try:
        spec = parse_spec(table, path.parent)
        if text:
            spec = _at_hertz(spec, frequency_hz)
        return spec if tunable else spec.tuned(None)
    except SpecificationError as error:
        raise SpecificationError(f"{path}: {error}") from error


def _at_hertz(spec: ArraySpec, text: str) -> ArraySpec:
    """The array at a frequency; one in wavelengths that does not say where they hold is taken to mean this one."""
    try:
        hertz = float(text)
    except ValueError:
        hertz = math.nan
    if not 0 < hertz < math.inf:
        raise SpecificationError(f"expected a frequency in Hz after '@', found {shown(text)}")
    if spec.in_metres:
        return spec.tuned(hertz)
    return replace(spec, frequency_hz=hertz) if spec.frequency_hz is None else spec.at(hertz / spec.frequency_hz)


def read_table(name_or_path: str | Path) -> tuple[dict[str, Any], Path]:
    """Parsed TOML of a shipped name or a path, unchecked, and its path. Raises SpecificationError."""
    path = SHIPPED / f"{name_or_path}.toml"
    if not os.path.isfile(path):  # Path.is_file raises where a name cannot be one
        path = Path(name_or_path)
    if not os.path.isfile(path):
        raise SpecificationError(
            f"array must be one of {', '.join(shipped_arrays())} or a TOML file, found {shown(str(name_or_path))}"
        )
    return read_toml(path, SpecificationError), path


def parse_spec(table: dict[str, Any], folder: Path = SHIPPED) -> ArraySpec:
    """Specification of a parsed TOML table (or of a checkpoint's header); files it names are looked for in folder.

    Raises SpecificationError that names the entry, what it must be and what was found; a key that is not known in its
    table is an error too, so that a misspelt one is not passed over.
    """
    name, description = checks.name_of(table), checks.description_of(table)
    geometry = checks.geometry_of(table)
    sector = checks.section(table, "sector", "azimuth_deg")
    coupling = checks.coupling_of(table, folder, SHIPPED)
    if "antenna" in table:
        from doamc.antenna.table import parse_antenna

        parse_antenna(table)  # its own checks
    sources, snapshots = checks.section(table, "sources"), checks.section(table, "snapshots")
    spec = ArraySpec(
        name=name,
        description=description,
        geometry=geometry,
        azimuth_deg=checks.span(sector, "sector", "azimuth_deg", [], checks.MAX_DEGREES),
        min_separation_deg=checks.number(sector, "sector", "min_separation_deg", 5.0, 0.0, 360.0),
        coupling=coupling,
        source_count=checks.whole_span(sources, "sources", "count", [1, 2]),
        power_db=checks.span(sources, "sources", "power_db", [-6.0, 0.0], checks.MAX_DB),
        snapshot_count=checks.whole_span(snapshots, "snapshots", "count", [1, 1000]),
        snr_db=checks.span(snapshots, "snapshots", "snr_db", [-12.0, 40.0], checks.MAX_DB),
        table=table,
        frequency_hz=_own_frequency(table),
    )
    width = spec.azimuth_deg[1] - spec.azimuth_deg[0]
    if not 0 < width <= 360:
        raise SpecificationError(f"the sector must be 0 to 360 deg wide, found {width:g}")
    if spec.source_count[1] >= spec.n_elements:
        raise SpecificationError(f"source count must lie in 1..{spec.n_elements - 1}, found {list(spec.source_count)}")
    if spec.min_separation_deg * (spec.source_count[1] - (0 if spec.full_circle else 1)) > width:
        raise SpecificationError("that many sources with that least separation do not fit the sector")
    _ = spec.family, spec.in_metres or spec.positions  # their own checks
    return spec


def _own_frequency(table: dict[str, Any]) -> float | None:
    """For which frequency the wavelengths hold, Hz, by ``frequency_hz`` or by the antenna; None where not told."""
    design = table.get("antenna", {}).get("design_frequency_hz")
    if "frequency_hz" not in table:
        return None if design is None else float(design)
    own = checks.number(table, "top level", "frequency_hz", 0.0, 1.0, 1e12)
    if design is not None and own != design and checks.METRES.keys().isdisjoint(table["geometry"]):
        raise SpecificationError(f"frequency_hz must be design_frequency_hz of [antenna], {design:g}, found {own:g}")
    return own
