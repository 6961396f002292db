"""The table [geometry] of a specification: checked, scaled, and from metres to wavelengths."""

from typing import TYPE_CHECKING, Any

from doamc.errors import SpecificationError
from doamc.spec.checks import is_number, number, section, whole
from doamc.spec.numbering import NUMBERING
from doamc.text import shown

if TYPE_CHECKING:
    import torch

#: what each geometry kind needs; ``spacing_wavelengths`` has a default
GEOMETRY_KEYS = {
    "ula": {"elements", "spacing_wavelengths"},
    "uca": {"elements", "radius_wavelengths"},
    "ura": {"rows", "columns", "spacing_wavelengths"},
    "positions": {"points_wavelengths"},
}
#: lengths in metres, and the keys that they become at a frequency
METRES = {"spacing_m": "spacing_wavelengths", "radius_m": "radius_wavelengths", "points_m": "points_wavelengths"}
MAX_ELEMENTS = 256
MAX_COORDINATE = 1e4  #: wavelengths


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


def positions_of(geometry: dict[str, Any]) -> "torch.Tensor":
    """Element positions (N, 3) of a checked table [geometry] in wavelengths."""
    import torch  # late: of a specification alone nobody needs it

    from doamc import arrays

    if geometry["kind"] == "ula":
        return arrays.ula(geometry["elements"], geometry.get("spacing_wavelengths", 0.5))
    if geometry["kind"] == "uca":
        return arrays.uca(geometry["elements"], geometry["radius_wavelengths"])
    if geometry["kind"] == "ura":
        return arrays.ura(geometry["rows"], geometry["columns"], geometry.get("spacing_wavelengths", 0.5))
    points = torch.as_tensor(geometry["points_wavelengths"], dtype=torch.float64)
    return torch.nn.functional.pad(points, (0, 3 - points.shape[1]))


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


def _is_coordinate(value: Any) -> bool:
    return is_number(value) and abs(value) <= MAX_COORDINATE
