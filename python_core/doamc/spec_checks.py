"""Checks of a parsed specification table: every wrong entry becomes one SpecificationError that names it."""

import math
from pathlib import Path
from typing import Any

from doamc.errors import SpecificationError

#: what each geometry kind needs; ``spacing_wavelengths`` has a default
GEOMETRY_KEYS = {
    "ula": {"elements", "spacing_wavelengths"},
    "uca": {"elements", "radius_wavelengths"},
    "ura": {"rows", "columns", "spacing_wavelengths"},
    "positions": {"points_wavelengths"},
}
#: lengths in metres, and the keys that they become at a frequency
METRES = {"spacing_m": "spacing_wavelengths", "radius_m": "radius_wavelengths", "points_m": "points_wavelengths"}
KNOWN_KEYS = {
    "sector": {"azimuth_deg", "min_separation_deg"},
    "coupling": {"family", "magnitude", "phase_deg", "diagonal"},
    "drawn coupling": {"family", "prior"},
    "sources": {"count", "power_db"},
    "snapshots": {"count", "snr_db"},
}
MAX_ELEMENTS = 1024


def section(table: dict[str, Any], name: str, *needed: str, known: set[str] | None = None) -> dict[str, Any]:
    """The table [name] with its needed keys and no key beyond the known ones (a misspelt key is not passed over)."""
    part = table.get(name, None if needed else {})
    if not isinstance(part, dict):
        raise SpecificationError(f"expected a table [{name}], found {'none' if part is None else repr(part)}")
    for key in needed:
        if key not in part:
            raise SpecificationError(f"expected {key!r} in [{name}], found {', '.join(part) or 'nothing'}")
    known = KNOWN_KEYS[name] if known is None else known
    unknown = sorted(part.keys() - known)
    if unknown:
        raise SpecificationError(f"[{name}] takes {', '.join(sorted(known))}, found {unknown[0]!r}")
    return part


def number(part: dict[str, Any], name: str, key: str, default: float, low: float, high: float) -> float:
    """A finite number in [low, high]."""
    value = part.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise SpecificationError(f"[{name}] {key} must be a number from {low:g} to {high:g}, found {value!r}")
    return float(value)


def whole(part: dict[str, Any], name: str, key: str, low: int, high: int) -> int:
    """A whole number in low..high."""
    value = part[key]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecificationError(f"[{name}] {key} must be a whole number in {low}..{high}, found {value!r}")
    return value


def span(part: dict[str, Any], name: str, key: str, default: list[float]) -> tuple[float, float]:
    """A pair [low, high] of finite numbers, low <= high."""
    value = part.get(key, default)
    if not _is_pair(value):
        raise SpecificationError(f"[{name}] {key} must be [low, high] with low <= high, found {value!r}")
    return float(value[0]), float(value[1])


def whole_span(part: dict[str, Any], name: str, key: str, default: list[int]) -> tuple[int, int]:
    """A pair [low, high] of whole numbers, 1 <= low <= high."""
    low, high = span(part, name, key, [float(v) for v in default])
    if low != int(low) or high != int(high) or low < 1:
        raise SpecificationError(f"[{name}] {key} must be whole numbers [low, high] from 1 on, found {part[key]!r}")
    return int(low), int(high)


def geometry_of(table: dict[str, Any]) -> dict[str, Any]:
    """The checked table [geometry]; lengths and coordinates in wavelengths, or in metres under the keys `METRES`."""
    part = table.get("geometry")
    part = part if isinstance(part, dict) else {}
    kind = part.get("kind")
    if kind is not None and (not isinstance(kind, str) or kind not in GEOMETRY_KEYS):
        raise SpecificationError(f"geometry kind must be one of {', '.join(GEOMETRY_KEYS)}, found {kind!r}")
    keys = GEOMETRY_KEYS.get(kind or "", set())
    for metres, wavelengths in METRES.items():
        if wavelengths in keys and metres in part:
            if wavelengths in part:
                raise SpecificationError(f"[geometry] takes {metres} or {wavelengths}, found both")
            keys = (keys - {wavelengths}) | {metres}
    geometry = section(table, "geometry", "kind", known=keys | {"kind"} if kind else set(part))
    missing = keys - geometry.keys() - {"spacing_wavelengths"}
    if missing:
        raise SpecificationError(f"geometry {kind!r} needs {', '.join(sorted(missing))}")
    for key in keys & {"elements", "rows", "columns"}:
        whole(geometry, "geometry", key, 2 if key == "elements" else 1, MAX_ELEMENTS)
    for key in keys & geometry.keys() & {"spacing_wavelengths", "radius_wavelengths"}:
        number(geometry, "geometry", key, 0.5, 1e-3, 1e3)
    for key in keys & {"spacing_m", "radius_m"}:
        number(geometry, "geometry", key, 0.5, 1e-5, 1e5)
    for key in keys & {"points_wavelengths", "points_m"}:
        _check_points(geometry, key)
    return geometry


def scaled_geometry(geometry: dict[str, Any], factor: float) -> dict[str, Any]:
    """A checked table [geometry] with every distance times a factor."""
    if geometry["kind"] == "positions":
        return geometry | {"points_wavelengths": [[factor * v for v in p] for p in geometry["points_wavelengths"]]}
    key = "radius_wavelengths" if geometry["kind"] == "uca" else "spacing_wavelengths"
    return geometry | {key: factor * geometry.get(key, 0.5)}


def in_wavelengths(geometry: dict[str, Any], wavelength_m: float) -> dict[str, Any]:
    """A checked table [geometry] in metres with its lengths in wavelengths. Raises SpecificationError out of range."""
    out = {key: value for key, value in geometry.items() if key not in METRES}
    if "points_m" in geometry:
        out["points_wavelengths"] = [[v / wavelength_m for v in p] for p in geometry["points_m"]]
    for key in {"spacing_m", "radius_m"} & geometry.keys():
        out[METRES[key]] = length = geometry[key] / wavelength_m
        if not 1e-3 <= length <= 1e3:
            found = f"{length:g} at a wavelength of {wavelength_m:g} m"
            raise SpecificationError(f"[geometry] {key} must be 0.001 to 1000 wavelengths, found {found}")
    return out


def _check_points(geometry: dict[str, Any], key: str) -> None:
    points = geometry[key]
    ok = isinstance(points, list) and 2 <= len(points) <= MAX_ELEMENTS
    ok = ok and all(isinstance(p, list) and len(p) in (2, 3) and all(map(_is_number, p)) for p in points)
    if not ok or len({len(p) for p in points}) != 1:
        raise SpecificationError(
            f"[geometry] {key} must be at least 2 points [x, y] or [x, y, z] of finite numbers, all alike, "
            f"found {str(points)[:80]}"
        )


def coupling_of(table: dict[str, Any], folder: Path, shipped: Path) -> dict[str, Any]:
    """The checked table [coupling]; how many ranges a family takes is the family's own check.

    The prior of a drawn family, a file beside the specification or the name of a shipped one, becomes its path.
    """
    given = table.get("coupling")
    drawn = isinstance(given, dict) and given.get("family") == "drawn"
    if drawn:
        part = section(table, "coupling", "family", "prior", known=KNOWN_KEYS["drawn coupling"])
        if not isinstance(part["prior"], str):
            raise SpecificationError(f"[coupling] prior must be a file or a shipped name, found {part['prior']!r}")
        places = [folder / part["prior"], *(base / f"{part['prior']}.prior.safetensors" for base in (folder, shipped))]
        found = [p for p in places if p.is_file()]
        if not found:
            raise SpecificationError(f"[coupling] prior must be a file or a shipped name, found none at {places[0]}")
        return {"family": "drawn", "prior": str(found[0])}
    part = section(table, "coupling", "family", "magnitude")
    if not isinstance(part["family"], str):
        raise SpecificationError(f"[coupling] family must be a name, found {part['family']!r}")
    ranges = part["magnitude"]
    if not isinstance(ranges, (list, tuple)) or not all(_is_pair(r) and r[0] >= 0 for r in ranges):
        raise SpecificationError(f"[coupling] magnitude must be ranges [[low, high], ...], 0 <= low, found {ranges!r}")
    number(part, "coupling", "phase_deg", 180.0, 0.0, 180.0)
    number(part, "coupling", "diagonal", 0.1, 0.0, 1.0)
    return part


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_pair(value: Any) -> bool:
    """Whether value is [low, high], finite, low <= high."""
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]
