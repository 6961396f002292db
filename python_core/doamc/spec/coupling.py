"""The table [coupling] of a specification, checked."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doamc.errors import SpecificationError
from doamc.spec.checks import is_pair, number, section, whole
from doamc.text import shown

if TYPE_CHECKING:
    from doamc.spec.array_spec import ArraySpec

KEYS, DRAWN_KEYS = {"family", "magnitude", "phase_deg", "diagonal", "directional"}, {"family", "prior"}
LATTICE_KEYS = {"family", "lags", "magnitude", "phase_deg", "directional"}
DIRECTIONAL_KEYS = {"order", "spread_db", "decay"}
MAX_MAGNITUDE = 10.0  #: of a coefficient, where the diagonal is 1
MAX_ORDER = 4  #: of a Fourier series over direction: 9 functions of azimuth, 25 on the sphere


def coupling_of(table: dict[str, Any], folder: Path, shipped: Path) -> dict[str, Any]:
    """The checked table [coupling]; how many ranges a family takes is the family's own check.

    The prior of a drawn family, a file beside the specification or the name of a shipped one, becomes its path.
    """
    given = table.get("coupling")
    if isinstance(given, dict) and given.get("family") == "drawn":
        if "directional" in given:
            raise SpecificationError(
                "[coupling.directional] is a series over a family of coefficients, found family 'drawn', whose "
                "response depends on direction by itself (blocks of [antenna]); leave the table out"
            )
        part = section(table, "coupling", "family", "prior", known=DRAWN_KEYS)
        if not isinstance(part["prior"], str):
            raise SpecificationError(f"[coupling] prior must be a file or a shipped name, found {shown(part['prior'])}")
        places = [folder / part["prior"], *(base / f"{part['prior']}.prior.safetensors" for base in (folder, shipped))]
        found = [p for p in places if os.path.isfile(p)]
        if not found:
            place = shown(str(places[0]))
            raise SpecificationError(f"[coupling] prior must be a file or a shipped name, found none at {place}")
        return {"family": "drawn", "prior": str(found[0])}
    if isinstance(given, dict) and given.get("family") == "lattice":
        part = section(table, "coupling", "family", "lags", "magnitude", known=LATTICE_KEYS)
        lags = part["lags"]
        if not isinstance(lags, list) or not all(map(_is_lag, lags)):
            raise SpecificationError(
                f"[coupling] lags must be [[rows, columns], ...] in whole numbers from 0 on, found {shown(lags)}"
            )
    else:
        part = section(table, "coupling", "family", "magnitude", known=KEYS)
    if not isinstance(part["family"], str):
        raise SpecificationError(f"[coupling] family must be a name, found {shown(part['family'])}")
    ranges = part["magnitude"]
    are_ranges = isinstance(ranges, (list, tuple)) and all(map(is_pair, ranges))
    if not are_ranges or not all(0 <= low <= high <= MAX_MAGNITUDE for low, high in ranges):
        wanted = f"[[low, high], ...], 0 <= low <= high <= {MAX_MAGNITUDE:g}"
        raise SpecificationError(f"[coupling] magnitude must be ranges {wanted}, found {shown(ranges)}")
    number(part, "coupling", "phase_deg", 180.0, 0.0, 180.0)
    number(part, "coupling", "diagonal", 0.1, 0.0, 1.0)
    return part | {"directional": _directional(part)} if "directional" in part else part


def _directional(part: dict[str, Any]) -> dict[str, Any]:
    """The checked table [coupling.directional], complete."""
    name = "coupling.directional"
    given = section({name: part["directional"]}, name, "order", known=DIRECTIONAL_KEYS)
    return {
        "order": whole(given, name, "order", 0, MAX_ORDER),
        "spread_db": number(given, name, "spread_db", -10.0, -100.0, 0.0),
        "decay": number(given, name, "decay", 0.5, 0.0, 1.0),
    }


def require_one_coupling(spec: "ArraySpec", what: str) -> None:
    """Raise SpecificationError where an array's coupling is a series over direction, which `what` knows nothing of."""
    if spec.directional:
        raise SpecificationError(
            f"{what} knows one coupling for all directions, found [coupling.directional] in array {spec.name}; leave "
            "the table out"
        )


def _is_lag(value: Any) -> bool:
    """Whether value is [rows, columns]."""
    whole = isinstance(value, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    return whole and len(value) == 2 and min(value) >= 0
