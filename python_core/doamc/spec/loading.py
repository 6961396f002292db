"""Array specifications from TOML: shipped ones by name, others by path, either at a frequency."""

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from doamc.errors import SpecificationError
from doamc.files.small_file import read_toml
from doamc.spec import checks
from doamc.spec.array_spec import ArraySpec
from doamc.spec.coupling import coupling_of
from doamc.spec.element import element_of, received_power_db
from doamc.spec.elevation import check_elevation, elevation_of
from doamc.spec.geometry import METRES, geometry_of
from doamc.spec.mount import mount_of
from doamc.spec.numbering import NUMBERING, channels_of
from doamc.text import shown

SHIPPED = Path(__file__).parents[1] / "specs"


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
        spec = replace(parse_spec(table, path.parent), source=str(name_or_path))
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
    if not 0 < hertz <= 1e12:
        raise SpecificationError(f"expected a frequency, up to 1e12, in Hz after '@', found {shown(text)}")
    if spec.in_metres:
        return spec.tuned(hertz)
    return replace(spec, frequency_hz=hertz) if spec.frequency_hz is None else spec.at(hertz / spec.frequency_hz)


def read_table(name_or_path: str | Path) -> tuple[dict[str, Any], Path]:
    """Parsed TOML of a shipped name or a path, unchecked, and its path. Raises SpecificationError.

    Where it is ``like`` a shipped one, what it does not say is taken from there.
    """
    path = SHIPPED / f"{name_or_path}.toml"
    if not os.path.isfile(path):  # Path.is_file raises where a name cannot be one
        path = Path(name_or_path)
    if not os.path.isfile(path):
        raise SpecificationError(
            f"array must be one of {', '.join(shipped_arrays())} or a TOML file, found {shown(str(name_or_path))}"
        )
    table = read_toml(path, SpecificationError)
    try:
        return _completed(table), path
    except SpecificationError as error:
        raise SpecificationError(f"{path}: {error}") from error


def _completed(table: dict[str, Any]) -> dict[str, Any]:
    """A table with what it leaves out, entry by entry, from the shipped one that it names as ``like``."""
    like = _like(table)
    if like is None:
        return table
    base = {k: v for k, v in read_table(like)[0].items() if k not in ("name", "description")}
    own = table.get("geometry")
    if isinstance(own, dict):
        rivals = [set(NUMBERING), *({m, w} for m, w in METRES.items())]  # one of these says it all
        said = set().union(*(r for r in rivals if r & own.keys()))
        base["geometry"] = {} if "kind" in own else {k: v for k, v in base["geometry"].items() if k not in said}
    both = {k: base[k] | v for k, v in table.items() if isinstance(v, dict) and isinstance(base.get(k), dict)}
    return base | table | both | {"like": base.get("like", like)}


def parse_spec(table: dict[str, Any], folder: Path = SHIPPED) -> ArraySpec:
    """Specification of a parsed TOML table (or of a checkpoint's header); files it names are looked for in folder.

    Raises SpecificationError that names the entry, what it must be and what was found; a key that is not known in its
    table is an error too, so that a misspelt one is not passed over.
    """
    name, description = checks.name_of(table), checks.description_of(table)
    geometry = geometry_of(table)
    sector = checks.section(table, "sector", "azimuth_deg")
    coupling = coupling_of(table, folder, SHIPPED)
    if "antenna" in table:
        from doamc.spec.antenna import parse_antenna

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
        mount=mount_of(table),
        like=_like(table),
        elevation_deg=elevation_of(sector),
        element=element_of(table),
    )
    if spec.element is not None:
        spec = replace(spec, incident_power_db=spec.power_db, power_db=received_power_db(spec))
    spec = replace(spec, channels=channels_of(table["geometry"], spec.n_elements))
    width = spec.azimuth_deg[1] - spec.azimuth_deg[0]
    if not 0 < width <= 360:
        raise SpecificationError(f"the sector must be 0 to 360 deg wide, found {width:g}")
    if spec.source_count[1] >= spec.n_elements:
        raise SpecificationError(f"source count must lie in 1..{spec.n_elements - 1}, found {list(spec.source_count)}")
    check_elevation(spec)
    if not spec.elevated and spec.min_separation_deg * (spec.source_count[1] - (not spec.full_circle)) > width:
        raise SpecificationError("that many sources with that least separation do not fit the sector")
    _ = spec.family, spec.in_metres or spec.positions  # their own checks
    return spec


def _like(table: dict[str, Any]) -> str | None:
    """The shipped array that this one is made from, or None."""
    like = table.get("like")
    if like is not None and (like not in shipped_arrays() or like == table.get("name")):
        raise SpecificationError(f"like must be another of {', '.join(shipped_arrays())}, found {shown(like)}")
    return like


def _own_frequency(table: dict[str, Any]) -> float | None:
    """For which frequency the wavelengths hold, Hz, by ``frequency_hz`` or by the antenna; None where not told."""
    design = table.get("antenna", {}).get("design_frequency_hz")
    if "frequency_hz" not in table:
        return None if design is None else float(design)
    own = checks.number(table, "top level", "frequency_hz", 0.0, 1.0, 1e12)
    if design is not None and own != design and METRES.keys().isdisjoint(table["geometry"]):
        raise SpecificationError(f"frequency_hz must be design_frequency_hz of [antenna], {design:g}, found {own:g}")
    return own
