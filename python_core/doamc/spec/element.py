"""The table [element] of a specification: the pattern of the elements, where they are not isotropic."""

import math
from typing import TYPE_CHECKING, Any

from doamc.errors import SpecificationError
from doamc.spec import checks
from doamc.text import shown

if TYPE_CHECKING:
    from doamc.arrays.element_pattern import ElementPattern
    from doamc.spec.array_spec import ArraySpec

#: points along each side of a sector at which gains are looked at
_POINTS = 181


def element_of(table: dict[str, Any]) -> "ElementPattern | None":
    """The pattern that a table names; None where it names none, or isotropic elements. Raises SpecificationError."""
    if "element" not in table:
        return None
    from doamc.arrays.element_pattern import PATTERNS, ElementPattern

    part = checks.section(table, "element", "pattern", known={"pattern", "exponent"})
    kind = part["pattern"]
    if not isinstance(kind, str) or kind not in PATTERNS:
        raise SpecificationError(f"[element] pattern must be one of {', '.join(PATTERNS)}, found {shown(kind)}")
    if "exponent" in part and kind != "patch":
        raise SpecificationError(f"[element] exponent is of pattern 'patch', found {kind!r}; leave it out")
    exponent = checks.number(part, "element", "exponent", 1.0, 0.1, 20.0)
    return None if kind == "isotropic" else ElementPattern(kind, exponent)


def require_isotropic(spec: "ArraySpec", what: str) -> None:
    """Raise SpecificationError where elements have a pattern, which `what` knows nothing of."""
    if spec.element is not None:
        raise SpecificationError(
            f"{what} knows isotropic elements alone, found [element] {spec.element.kind} in array {spec.name}; leave "
            "it out"
        )


def received_power_db(spec: "ArraySpec") -> tuple[float, float]:
    """Range of powers as elements with a pattern receive them, dB, of sources in the sector of a specification.

    Raises SpecificationError where elements hear nothing of a part of the sector.
    """
    import torch

    low, high = spec.power_db
    if spec.element is None:
        return low, high
    if spec.coupling["family"] == "drawn":
        raise SpecificationError(
            "[element] and a coupling drawn from antennas exclude each other: such a prior has their pattern; leave "
            "[element] out"
        )
    sides = (torch.linspace(a, b, _POINTS, dtype=torch.float64) for a, b in (spec.sector_rad, spec.elevation_rad))
    azimuth, elevation = torch.meshgrid(*sides, indexing="ij")
    if spec.element.kind == "patch" and bool((azimuth.cos() * elevation.cos() < 1e-3).any()):
        raise SpecificationError("[element] patch hears nothing from behind; expected a sector within 90 deg of +x")
    gain = 10 * spec.element.power(azimuth, elevation).log10()
    return low + float(gain.min()), high + min(0.0, math.ceil(1e6 * float(gain.max())) / 1e6)
