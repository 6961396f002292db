"""The table [mount] of a specification: how the array is turned on its mast."""

from dataclasses import dataclass
from typing import Any

from doamc.angles import circle_deg
from doamc.errors import SpecificationError
from doamc.spec import checks
from doamc.text import shown

NORTHS = ("true", "magnetic")


@dataclass(frozen=True)
class Mount:
    """Where the array's +x axis points, as somebody on the roof reads it from a compass or a map.

    offset_deg: degrees clockwise, seen from above, from north to the +x axis: to element 0 of a circle from its centre,
    to where a line looks. On a mast that turns, or a vehicle, which tell their heading: from their zero to +x.
    north: which north offset_deg counts from. declination_deg: of magnetic north at this place, east positive.
    """

    offset_deg: float
    north: str = "true"
    declination_deg: float = 0.0

    @property
    def heading_deg(self) -> float:
        """Compass bearing of the +x axis, clockwise from true north, in [0, 360)."""
        return circle_deg(self.offset_deg + self.declination_deg)

    def heading_on(self, zero_deg: float) -> float:
        """The same on a mast that turns, or a vehicle, whose zero has a true bearing."""
        return circle_deg(zero_deg + self.offset_deg)


def mount_of(table: dict[str, Any]) -> Mount | None:
    """The mount of a parsed specification, or None. Raises SpecificationError that names the entry."""
    if "mount" not in table:
        return None
    part = checks.section(table, "mount", "offset_deg", known={"offset_deg", "north", "declination_deg"})
    north = part.get("north", "true")
    if north not in NORTHS:
        raise SpecificationError(f"[mount] north must be one of {', '.join(NORTHS)}, found {shown(north)}")
    if ("declination_deg" in part) != (north == "magnetic"):
        needs = "declination_deg beside it" if north == "magnetic" else "no declination_deg"
        raise SpecificationError(f"[mount] north = {north!r} needs {needs}, found {shown(sorted(part))}")
    return Mount(
        checks.number(part, "mount", "offset_deg", 0.0, -360.0, 360.0),
        north,
        checks.number(part, "mount", "declination_deg", 0.0, -180.0, 180.0),
    )
