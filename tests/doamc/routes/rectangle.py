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


def rectangle_toml(path, rows: int, columns: int, magnitude: list[list[float]], half_sector_deg: float = 60.0) -> None:
    """Write the specification of `rectangle` to a file, as a user would."""
    path.write_text(
        f"""
name = "rectangle"
description = "half-wave rectangle"
[geometry]
kind = "ura"
rows = {rows}
columns = {columns}
spacing_wavelengths = 0.5
[sector]
azimuth_deg = [{-half_sector_deg}, {half_sector_deg}]
min_separation_deg = 8.0
[coupling]
family = "symmetric-toeplitz"
magnitude = {magnitude}
[sources]
count = [1, 2]
power_db = [-6.0, 0.0]
[snapshots]
count = [20, 200]
snr_db = [0.0, 20.0]
"""
    )
