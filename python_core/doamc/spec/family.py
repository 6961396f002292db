"""The coupling family with its prior that the table [coupling] of a specification means."""

from typing import TYPE_CHECKING

from doamc.errors import SpecificationError

if TYPE_CHECKING:
    from doamc.coupling.family import CouplingFamily
    from doamc.spec.array_spec import ArraySpec


def family_of(spec: "ArraySpec") -> "CouplingFamily":
    """The family of the table at the frequency in use. Raises SpecificationError where the geometry does not fit."""
    from doamc.coupling.directional import directional_family  # late: torch
    from doamc.coupling.drawn_file import load_drawn_family
    from doamc.coupling.families import make_family
    from doamc.coupling.lattice import lattice_family

    c, g = spec.coupling, spec.geometry
    if c["family"] == "drawn":
        family = load_drawn_family(c["prior"], spec.frequency)
        if family.n_elements != spec.n_elements:
            found = f"{family.n_elements} elements, the geometry has {spec.n_elements}"
            raise SpecificationError(f"[coupling] prior {c['prior']} is for {found}")
        return family
    phase, diagonal = c.get("phase_deg", 180.0), c.get("diagonal", 0.1)
    if c["family"] == "lattice":
        if g["kind"] != "ura":
            raise SpecificationError(f"family 'lattice' is of geometry 'ura', found {g['kind']!r}")
        base = lattice_family(g["rows"], g["columns"], c["lags"], c["magnitude"], phase)
    else:
        base = make_family(c["family"], spec.n_elements, c["magnitude"], phase, diagonal)
    series = c.get("directional", {"order": 0})
    if series["order"] == 0:
        return base
    elevation_rad = spec.elevation_rad if spec.elevated else None
    return directional_family(base, **series, sector_rad=spec.sector_rad, elevation_rad=elevation_rad)
