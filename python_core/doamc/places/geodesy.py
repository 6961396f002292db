"""The WGS-84 ellipsoid: latitudes and longitudes, Earth-centred coordinates, and planes that touch it.

A bearing here is that of a normal section: the angle, at the station, between the plane of its vertical that holds the
emitter and the one that holds the pole. That is what an array sees; the geodesic leaves the station under an angle that
is other by less than 0.1" within 100 km. Formulas of [Nima], ch. 3 and 4; back from Earth-centred coordinates by
[Bowring].
"""

import numpy as np
from numpy.typing import ArrayLike

#: semi-major axis, m, and flattening of WGS 84
SEMI_MAJOR_M, FLATTENING = 6_378_137.0, 1 / 298.257223563
_SEMI_MINOR_M = SEMI_MAJOR_M * (1 - FLATTENING)
_E2 = FLATTENING * (2 - FLATTENING)
_E2_SECOND = _E2 / (1 - _E2)


def ecef_m(latitude: ArrayLike, longitude: ArrayLike) -> np.ndarray:
    """Earth-centred coordinates, (..., 3) m, of places on the ellipsoid; angles in rad."""
    lat, lon = np.asarray(latitude, dtype=float), np.asarray(longitude, dtype=float)
    normal = SEMI_MAJOR_M / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    across = normal * np.cos(lat)
    made = np.empty((*np.shape(across + lon), 3))
    made[..., 0], made[..., 1] = across * np.cos(lon), across * np.sin(lon)
    made[..., 2] = (1 - _E2) * normal * np.sin(lat)
    return made


def east_north(latitude: ArrayLike, longitude: ArrayLike) -> np.ndarray:
    """Unit vectors to the east and to the north of places, (..., 2, 3)."""
    lat, lon = np.asarray(latitude, dtype=float), np.asarray(longitude, dtype=float)
    made = np.empty((*np.shape(lat + lon), 2, 3))
    made[..., 0, 0], made[..., 0, 1], made[..., 0, 2] = -np.sin(lon), np.cos(lon), 0.0
    made[..., 1, 0], made[..., 1, 1] = -np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon)
    made[..., 1, 2] = np.cos(lat)
    return made


def below(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places below, or above, Earth-centred points, (..., 3) m, that are some km off the ellipsoid at most; rad."""
    across = np.hypot(x[..., 0], x[..., 1])
    parametric = np.arctan2(x[..., 2] * SEMI_MAJOR_M, across * _SEMI_MINOR_M)
    lat = np.arctan2(
        x[..., 2] + _E2_SECOND * _SEMI_MINOR_M * np.sin(parametric) ** 3,
        across - _E2 * SEMI_MAJOR_M * np.cos(parametric) ** 3,
    )
    return lat, np.arctan2(x[..., 1], x[..., 0])


def moved(latitude: float, longitude: float, east_m: ArrayLike, north_m: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Places below points of the plane that touches the ellipsoid at a place; rad, of the shape of the metres."""
    offset = np.stack(np.broadcast_arrays(east_m, north_m), axis=-1).astype(float)
    return below(ecef_m(latitude, longitude) + offset @ east_north(latitude, longitude))


def bearing_of(latitude: ArrayLike, longitude: ArrayLike, to_m: np.ndarray) -> np.ndarray:
    """Bearing, rad clockwise from true north, from places to Earth-centred points, (..., 3) m."""
    away = (east_north(latitude, longitude) * (to_m - ecef_m(latitude, longitude))[..., None, :]).sum(-1)
    return np.arctan2(away[..., 0], away[..., 1])


def middle(latitude: np.ndarray, longitude: np.ndarray) -> tuple[float, float]:
    """Place below the mean of some places, rad."""
    lat, lon = below(ecef_m(latitude, longitude).reshape(-1, 3).mean(0))
    return float(lat), float(lon)
