"""Receivers of a dashboard: where each publishes, where it stands and where its array points."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doamc.angles import wrap_deg
from doamc.errors import DashboardError, PublishError
from doamc.estimates.address import check_address
from doamc.files.small_file import read_toml
from doamc.text import SHOWN, one_line, shown

#: mean radius of the Earth (IUGG R1), m
EARTH_RADIUS_M = 6_371_008.8
MAX_RECEIVERS = 16
_KEYS = {
    "name", "connect", "server_key", "keys", "heading_deg", "heading_std_deg", "position_m", "latitude", "longitude",
}  # fmt: skip


@dataclass(frozen=True)
class Receiver:
    """One receiver.

    name: shown on the page. connect: ZMQ address of its publisher. heading_deg: true bearing of its array's +x axis,
    None to take that of its estimates. heading_std_deg: standard deviation of the heading. east_m, north_m: position on
    the local map plane, None when not known. latitude, longitude: degrees, None when the position was given in metres.
    server_key, keys: files with the publisher's public key and with our own pair, where it asks for CURVE.
    """

    name: str
    connect: str
    heading_deg: float | None = None
    heading_std_deg: float = 0.0
    east_m: float | None = None
    north_m: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    server_key: str | None = None
    keys: str | None = None


def load_receivers(path: str | Path) -> list[Receiver]:
    """Receivers of a TOML file, tables ``[[receiver]]``; positions all in metres, all in degrees, or none at all.

    Degrees become metres east and north of the receivers' mean by an equirectangular projection, whose error stays
    under 0.1 % within 100 km. Raises DashboardError when the file cannot be read or says something impossible.
    """
    table = read_toml(path, DashboardError)
    rows = table.get("receiver")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_RECEIVERS or set(table) != {"receiver"}:
        found = one_line(", ".join(sorted(table)), SHOWN) or "nothing"
        raise DashboardError(f"{path}: expected 1 to {MAX_RECEIVERS} tables [[receiver]] and no more, found {found}")
    receivers = [_receiver(row, f"{path}: receiver {i + 1}") for i, row in enumerate(rows)]
    for what, values in (("name", [r.name for r in receivers]), ("address", [r.connect for r in receivers])):
        if len(set(values)) < len(values):
            raise DashboardError(f"{path}: expected receivers of different {what}, found {shown(values)}")
    kinds = {(r.east_m is not None, r.latitude is not None) for r in receivers}
    if len(kinds) > 1:
        raise DashboardError(f"{path}: expected position_m for all, or latitude and longitude for all, or none")
    return project(receivers)


def project(receivers: list[Receiver]) -> list[Receiver]:
    """The receivers with ``east_m`` and ``north_m`` from their degrees, about the mean of their positions."""
    from dataclasses import replace

    if receivers[0].latitude is None or receivers[0].longitude is None:
        return receivers
    latitude, longitude = origin(receivers)
    scale = math.radians(EARTH_RADIUS_M)
    return [
        replace(
            r,
            east_m=scale * math.cos(math.radians(latitude)) * wrap_deg((r.longitude or 0.0) - longitude),
            north_m=scale * ((r.latitude or 0.0) - latitude),
        )
        for r in receivers
    ]


def origin(receivers: list[Receiver]) -> tuple[float, float]:
    """Latitude and longitude, degrees, of the map plane's origin: the mean of the receivers'."""
    first = receivers[0].longitude or 0.0
    n = len(receivers)
    longitude = first + sum(wrap_deg((r.longitude or 0.0) - first) for r in receivers) / n
    return sum(r.latitude or 0.0 for r in receivers) / n, wrap_deg(longitude)


def _receiver(row: Any, where: str) -> Receiver:
    if not isinstance(row, dict) or not {"name", "connect"} <= row.keys() <= _KEYS:
        found = one_line(", ".join(sorted(row)), SHOWN) if isinstance(row, dict) else shown(row)
        raise DashboardError(f"{where}: expected name, connect and of {', '.join(sorted(_KEYS))}, found {found}")
    name = row["name"]
    if not isinstance(name, str) or not re.fullmatch(r"[^\x00-\x1f\x7f]{1,40}", name):
        raise DashboardError(f"{where}: expected a name of 1 to 40 characters, found {shown(name)}")
    try:
        connect = check_address(row["connect"])
    except PublishError as error:
        raise DashboardError(f"{where}: {error}") from error
    server_key, keys = (_file(row, key, where) for key in ("server_key", "keys"))
    heading = _number(row, "heading_deg", where, 0.0, 360.0)
    spread = _number(row, "heading_std_deg", where, 0.0, 90.0) or 0.0
    latitude = _number(row, "latitude", where, -90.0, 90.0)
    longitude = _number(row, "longitude", where, -180.0, 180.0)
    position = row.get("position_m")
    if (latitude is None) != (longitude is None) or (latitude is not None and position is not None):
        raise DashboardError(f"{where}: expected position_m, or latitude and longitude together")
    if position is None:
        return Receiver(name, connect, heading, spread, None, None, latitude, longitude, server_key, keys)
    if not isinstance(position, list) or len(position) != 2:
        raise DashboardError(f"{where}: expected position_m = [east, north], found {shown(position)}")
    east, north = (_number({"position_m": p}, "position_m", where, -1e6, 1e6) for p in position)
    return Receiver(name, connect, heading, spread, east, north, None, None, server_key, keys)


def _file(row: dict[str, Any], key: str, where: str) -> str | None:
    value = row.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise DashboardError(f"{where}: expected {key} to name a file, found {shown(value)}")
    return value


def _number(row: dict[str, Any], key: str, where: str, low: float, high: float) -> float | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise DashboardError(f"{where}: expected {key} within {low:g} to {high:g}, found {shown(value)}")
    return float(value)
