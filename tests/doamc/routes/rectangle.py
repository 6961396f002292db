"""A rectangular array for tests."""

import copy

from doamc.spec import ArraySpec, load_spec, parse_spec


def rectangle(rows: int, columns: int, magnitude: list[list[float]], half_sector_deg: float = 60.0) -> ArraySpec:
    """Half-wave rectangle with Toeplitz coupling over the element number."""
    table = copy.deepcopy(dict(load_spec("ula8").table))
    table["geometry"] = {"kind": "ura", "rows": rows, "columns": columns, "spacing_wavelengths": 0.5}
    table["sector"] = {**table["sector"], "azimuth_deg": [-half_sector_deg, half_sector_deg]}
    table["coupling"] = {**table["coupling"], "magnitude": magnitude}
    return parse_spec(table)
