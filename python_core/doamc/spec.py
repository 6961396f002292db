"""Array specifications: geometry, sector, coupling family with its prior, sources, snapshots, SNR; as TOML."""

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc import spec_checks as checks
from doamc.errors import EstimatorError, SpecificationError, shown
from doamc.toml_files import is_file, read_toml

if TYPE_CHECKING:
    import torch

    from doamc.coupling.drawn import DrawnFamily
    from doamc.coupling.families import CouplingFamily

SHIPPED = Path(__file__).parent / "specs"
REACH = 100.0  #: how far, as a factor, an array may be taken from its frequency of design


@dataclass(frozen=True)
class ArraySpec:
    """One array and the prior over what it may receive. Angles in degrees and powers in dB, as in the file.

    geometry: the table of the file. azimuth_deg: sector [low, high]; 360 wide means a full circle.
    min_separation_deg: least separation of two sources. coupling: family, magnitude ranges, phase half-width.
    frequency: in use, relative to that of design; geometry is in wavelengths in use.
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

    @cached_property
    def positions(self) -> "torch.Tensor":
        """Element positions in wavelengths, (N, 3)."""
        import torch

        from doamc import arrays

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
        return int({"ura": lambda: g["rows"] * g["columns"], "positions": lambda: len(g["points_wavelengths"])}.get(
            g["kind"], lambda: g["elements"])())

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
        geometry = checks.scaled_geometry(self.geometry, frequency / self.frequency)
        spec = replace(self, geometry=geometry, frequency=frequency)
        _ = spec.family  # its own checks
        return spec

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


def load_spec(name_or_path: "str | Path | ArraySpec") -> ArraySpec:
    """Specification by shipped name or TOML path, or either at a frequency, NAME@HZ.

    Raises SpecificationError that names what is wrong.
    """
    if isinstance(name_or_path, ArraySpec):
        return name_or_path
    text, _, frequency_hz = str(name_or_path).rpartition("@")
    table, path = read_table(text or name_or_path)
    try:
        spec = parse_spec(table, path.parent)
        return spec.at(_relative(frequency_hz, spec)) if text else spec
    except SpecificationError as error:
        raise SpecificationError(f"{path}: {error}") from error


def _relative(frequency_hz: str, spec: ArraySpec) -> float:
    design = spec.table.get("antenna", {}).get("design_frequency_hz")
    if design is None:
        raise SpecificationError(f"expected design_frequency_hz in [antenna] to go to {frequency_hz} Hz, found none")
    try:
        relative = float(frequency_hz) / design
    except ValueError:
        relative = math.nan
    if not 0 < relative < math.inf:
        raise SpecificationError(f"expected a frequency in Hz after '@', found {shown(frequency_hz)}")
    return relative


def read_table(name_or_path: str | Path) -> tuple[dict[str, Any], Path]:
    """Parsed TOML of a shipped name or a path, unchecked, and its path. Raises SpecificationError."""
    path = SHIPPED / f"{name_or_path}.toml"
    if not is_file(path):
        path = Path(name_or_path)
    if not is_file(path):
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
    )
    width = spec.azimuth_deg[1] - spec.azimuth_deg[0]
    if not 0 < width <= 360:
        raise SpecificationError(f"the sector must be 0 to 360 deg wide, found {width:g}")
    if spec.source_count[1] >= spec.n_elements:
        raise SpecificationError(f"source count must lie in 1..{spec.n_elements - 1}, found {list(spec.source_count)}")
    if spec.min_separation_deg * (spec.source_count[1] - (0 if spec.full_circle else 1)) > width:
        raise SpecificationError("that many sources with that least separation do not fit the sector")
    _ = spec.family, spec.positions  # their own checks
    return spec
