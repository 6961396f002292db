"""Checks of a parsed specification table: every wrong entry becomes one SpecificationError that names it."""

import math
import re
from typing import Any

from doamc.errors import SpecificationError
from doamc.spec.numbering import NUMBERING
from doamc.text import SHOWN, one_line, shown

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
    "sources": {"count", "power_db"},
    "snapshots": {"count", "snr_db"},
}
MAX_ELEMENTS = 256
MAX_COORDINATE = 1e4  #: wavelengths
MAX_DB = 200.0  #: of powers and SNR, either way
MAX_DEGREES = 720.0  #: of the ends of a sector, either way
MAX_SNAPSHOTS = 10**9
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 500


def name_of(table: dict[str, Any]) -> str:
    """The name: letters, digits, dashes, underscores, since files are named after it."""
    name = table.get("name")
    if not isinstance(name, str):
        raise SpecificationError(f"expected a string 'name', found {shown(table.get('name', 'none'))}")
    if not NAME.fullmatch(name):
        raise SpecificationError(
            f"name must be 1 to 64 letters, digits, dashes and underscores, since files are named after it, found "
            f"{shown(name)}"
        )
    return name


def description_of(table: dict[str, Any]) -> str:
    """The description, one line."""
    text = table.get("description", "")
    if not isinstance(text, str) or len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise SpecificationError(
            f"description must be one line of at most {MAX_DESCRIPTION} characters, found {shown(text)}"
        )
    return text


def section(table: dict[str, Any], name: str, *needed: str, known: set[str] | None = None) -> dict[str, Any]:
    """The table [name] with its needed keys and no key beyond the known ones (a misspelt key is not passed over)."""
    part = table.get(name, None if needed else {})
    if not isinstance(part, dict):
        raise SpecificationError(f"expected a table [{name}], found {'none' if part is None else shown(part)}")
    for key in needed:
        if key not in part:
            found = one_line(", ".join(part), SHOWN) or "nothing"
            raise SpecificationError(f"expected {key!r} in [{name}], found {found}")
    known = KNOWN_KEYS[name] if known is None else known
    unknown = sorted(part.keys() - known)
    if unknown:
        raise SpecificationError(f"[{name}] takes {', '.join(sorted(known))}, found {shown(unknown[0])}")
    return part


def number(part: dict[str, Any], name: str, key: str, default: float, low: float, high: float) -> float:
    """A finite number in [low, high]."""
    value = part.get(key, default)
    if not _is_number(value) or not low <= value <= high:
        raise SpecificationError(f"[{name}] {key} must be a number from {low:g} to {high:g}, found {shown(value)}")
    return float(value)


def whole(part: dict[str, Any], name: str, key: str, low: int, high: int) -> int:
    """A whole number in low..high."""
    value = part[key]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecificationError(f"[{name}] {key} must be a whole number in {low}..{high}, found {shown(value)}")
    return value


def span(part: dict[str, Any], name: str, key: str, default: list[float], most: float) -> tuple[float, float]:
    """A pair [low, high] of finite numbers, -most <= low <= high <= most."""
    value = part.get(key, default)
    if not is_pair(value):
        raise SpecificationError(f"[{name}] {key} must be [low, high] with low <= high, found {shown(value)}")
    if max(-value[0], value[1]) > most:
        raise SpecificationError(f"[{name}] {key} must lie within {-most:g} to {most:g}, found {shown(value)}")
    return float(value[0]), float(value[1])


def whole_span(
    part: dict[str, Any], name: str, key: str, default: list[int], most: int = MAX_SNAPSHOTS
) -> tuple[int, int]:
    """A pair [low, high] of whole numbers, 1 <= low <= high <= most."""
    low, high = span(part, name, key, [float(v) for v in default], float(most))
    if low != int(low) or high != int(high) or low < 1:
        found = shown(part[key])
        raise SpecificationError(f"[{name}] {key} must be whole numbers [low, high] from 1 on, found {found}")
    return int(low), int(high)


def geometry_of(table: dict[str, Any]) -> dict[str, Any]:
    """The checked table [geometry] without the keys `NUMBERING`; in wavelengths, or in metres under keys `METRES`."""
    part = table.get("geometry")
    part = part if isinstance(part, dict) else {}
    kind = part.get("kind")
    if kind is not None and (not isinstance(kind, str) or kind not in GEOMETRY_KEYS):
        raise SpecificationError(f"geometry kind must be one of {', '.join(GEOMETRY_KEYS)}, found {shown(kind)}")
    keys = GEOMETRY_KEYS.get(kind or "", set())
    for metres, wavelengths in METRES.items():
        if wavelengths in keys and metres in part:
            if wavelengths in part:
                raise SpecificationError(f"[geometry] takes {metres} or {wavelengths}, found both")
            keys = (keys - {wavelengths}) | {metres}
    geometry = section(table, "geometry", "kind", known={"kind", *keys, *NUMBERING} if kind else set(part))
    geometry = {key: value for key, value in geometry.items() if key not in NUMBERING}
    missing = keys - geometry.keys() - {"spacing_wavelengths"}
    if missing:
        raise SpecificationError(f"geometry {kind!r} needs {', '.join(sorted(missing))}")
    for key in keys & {"elements", "rows", "columns"}:
        whole(geometry, "geometry", key, 2 if key == "elements" else 1, MAX_ELEMENTS)
    for key in keys & geometry.keys() & {"spacing_wavelengths", "radius_wavelengths"}:
        number(geometry, "geometry", key, 0.5, 1e-3, 1e3)
    for key in keys & {"spacing_m", "radius_m"}:
        number(geometry, "geometry", key, 0.5, 1e-5, 1e5)
    if kind == "ura" and geometry["rows"] * geometry["columns"] > MAX_ELEMENTS:
        found = f"{geometry['rows']} times {geometry['columns']}"
        raise SpecificationError(f"[geometry] rows times columns must be at most {MAX_ELEMENTS}, found {found}")
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
    ok = ok and all(isinstance(p, list) and len(p) in (2, 3) and all(map(_is_coordinate, p)) for p in points)
    if not ok or len({len(p) for p in points}) != 1:
        raise SpecificationError(
            f"[geometry] {key} must be 2 to {MAX_ELEMENTS} points [x, y] or [x, y, z], all alike, of "
            f"numbers from {-MAX_COORDINATE:g} to {MAX_COORDINATE:g}, found {_points_shown(points)}"
        )


def _points_shown(points: Any) -> str:
    return f"{len(points)}, {shown(points)}" if isinstance(points, list) else shown(points)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _is_coordinate(value: Any) -> bool:
    return _is_number(value) and abs(value) <= MAX_COORDINATE


def is_pair(value: Any) -> bool:
    """Whether value is [low, high], finite, low <= high."""
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]
