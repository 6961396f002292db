"""Where the pixels of an image look: an orthographic projection about a centre, or azimuth and elevation.

Orthographic: u along rising azimuth and v along rising elevation at the centre, direction = u e1 + v e2 + w c with
u^2 + v^2 + w^2 = 1, w >= 0. About the normal of a plane of antennas, u and v are the direction cosines (l, m) of
interferometry, and the beam is the same everywhere in them. All of the half sky in front lies within u^2 + v^2 <= 1.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError

MAX_PIXELS = 1024  #: along a side
#: of the zenith, e1 = +x and e2 = +y
ZENITH, FRONT = (-90.0, 90.0), (0.0, 0.0)


@dataclass(frozen=True)
class SkyGrid:
    """Pixels of an image.

    kind: "orthographic" or "panorama". columns (W,), rows (H,), ascending: u and v, or azimuth and elevation in
    degrees. centre_deg: azimuth and elevation of the centre, of an orthographic one.
    directions: (H, W, 3) unit vectors, zero where a pixel is beyond the horizon of the projection.
    """

    kind: str
    columns: NDArray[np.float64]
    rows: NDArray[np.float64]
    centre_deg: tuple[float, float]
    directions: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which pixels look anywhere, (H, W)."""
        return np.asarray(self.directions.any(2))

    def place(self, directions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Column and row coordinates (K, 2) of directions (K, 3); NaN behind an orthographic projection."""
        if self.kind == "panorama":
            azimuth, elevation = angles_of(directions)
            turn = 360.0 * np.floor((azimuth - self.columns[0]) / 360.0)
            return np.stack([azimuth - turn, elevation], 1)
        frame = tangent_frame(*self.centre_deg)
        u, v, w = frame @ directions.T
        return np.where(w[:, None] >= -1e-9, np.stack([u, v], 1), np.nan)

    def about(self) -> dict[str, Any]:
        """What a message or a file says of it."""
        sides = {"columns": [self.columns[0], self.columns[-1]], "rows": [self.rows[0], self.rows[-1]]}
        return {"projection": self.kind, "centre_deg": list(self.centre_deg)} | {
            key: [float(value) for value in side] for key, side in sides.items()
        }


def field(centre_deg: tuple[float, float] = ZENITH, half_width: float = 1.0, pixels: int = 96) -> SkyGrid:
    """Orthographic pixels about an azimuth and elevation, u and v from -half_width to half_width.

    half_width: sine of the angle from the centre to the middle of a side, 1 for all of the half sky.
    Raises ImagingError out of range.
    """
    azimuth, elevation = centre_deg
    if not (math.isfinite(azimuth) and -90 <= elevation <= 90 and 0 < half_width <= 1):
        raise ImagingError(
            "expected a centre of an azimuth and an elevation within -90 to 90 degrees and a half width within 0 to 1, "
            f"found {azimuth:g}, {elevation:g} and {half_width:g}"
        )
    side = half_width * np.linspace(-1.0, 1.0, _checked(pixels))
    u, v = np.meshgrid(side, side)
    left = 1.0 - u * u - v * v
    w = np.sqrt(np.maximum(left, 0.0))
    directions = np.where(left[..., None] >= -1e-12, np.stack([u, v, w], -1) @ tangent_frame(azimuth, elevation), 0.0)
    return SkyGrid("orthographic", side, side, (float(azimuth), float(elevation)), directions)


def panorama(
    azimuth_deg: tuple[float, float] = (-180.0, 180.0), elevation_deg: tuple[float, float] = (0.0, 90.0),
    pixels: int = 181,
) -> SkyGrid:  # fmt: skip
    """Pixels of azimuth (so many columns) and elevation, as fine. Raises ImagingError out of range."""
    (left, right), (low, high) = azimuth_deg, elevation_deg
    if not (left < right <= left + 360 and -90 <= low < high <= 90):
        raise ImagingError(
            "expected rising azimuths of at most a turn and rising elevations within -90 to 90 degrees, found "
            f"{left:g} to {right:g} and {low:g} to {high:g}"
        )
    columns: NDArray[np.float64] = np.asarray(np.linspace(left, right, _checked(pixels)), dtype=np.float64)
    count = max(2, 1 + round((high - low) / (right - left) * (pixels - 1)))
    rows: NDArray[np.float64] = np.asarray(np.linspace(low, high, _checked(count)), dtype=np.float64)
    azimuth, elevation = np.meshgrid(np.radians(columns), np.radians(rows))
    return SkyGrid("panorama", columns, rows, (0.0, 0.0), direction_of(azimuth, elevation))


def direction_of(azimuth: NDArray[np.float64], elevation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors (..., 3) of azimuths and elevations, rad."""
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], -1)


def angles_of(directions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Azimuths and elevations, degrees, of unit vectors (..., 3)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def tangent_frame(azimuth_deg: float, elevation_deg: float) -> NDArray[np.float64]:
    """Rows e1 (rising azimuth), e2 (rising elevation) and the direction itself, (3, 3)."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    ca, sa, ce, se = math.cos(azimuth), math.sin(azimuth), math.cos(elevation), math.sin(elevation)
    return np.array([[-sa, ca, 0.0], [-se * ca, -se * sa, ce], [ce * ca, ce * sa, se]])


def _checked(pixels: int) -> int:
    if not 2 <= pixels <= MAX_PIXELS:
        raise ImagingError(f"expected 2 to {MAX_PIXELS} pixels along a side, found {pixels}")
    return pixels
