"""Where a SigMF recording was made: the GeoJSON point of ``core:geolocation``."""

from typing import Any


def place_of(table: dict[str, Any]) -> tuple[float, float] | None:
    """Latitude and longitude, degrees, of a capture or of the global object; None where it tells no point."""
    told = table.get("core:geolocation")
    point = told.get("coordinates") if isinstance(told, dict) and told.get("type") == "Point" else None
    if not isinstance(point, list) or len(point) < 2 or not all(type(v) in (int, float) for v in point[:2]):
        return None
    longitude, latitude = float(point[0]), float(point[1])
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None
