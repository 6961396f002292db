"""Angles: within a turn, and from azimuths to bearings and back, each in this one place.

An azimuth runs counter-clockwise from the array's +x axis, a bearing clockwise from true north. With the heading, the
bearing of the +x axis: ``bearing = (heading - azimuth) mod 360`` (docs/bearings.md). The page of the dashboard does the
same in ``static/js/angles.js``; one table of values tests both.
"""

import math
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Angle = TypeVar("Angle", float, "NDArray[Any]", "torch.Tensor")


def wrap_rad(angle: Angle, low: float = -math.pi) -> Angle:
    """Angles in rad moved by whole turns into [low, low + 2 pi); `%` takes the sign of the turn for all three types."""
    return low + (angle - low) % (2 * math.pi)


def wrap_deg(angle: Angle, low: float = -180.0) -> Angle:
    """Angles in degrees moved by whole turns into [low, low + 360)."""
    return low + (angle - low) % 360.0


def circle_deg(angle_deg: Angle) -> Angle:
    """The angle in [0, 360): twice, since the remainder of -1e-20 is 360."""
    return angle_deg % 360.0 % 360.0


def bearing_deg(azimuth_deg: Angle, heading_deg: float) -> Angle:
    """Bearing in [0, 360) of an azimuth; its standard deviation is that of the azimuth."""
    return circle_deg(heading_deg - azimuth_deg)


def azimuth_deg(bearing_deg: Angle, heading_deg: float) -> Angle:
    """Azimuth in [0, 360) of a bearing."""
    return circle_deg(heading_deg - bearing_deg)


def great_circle_deg(
    azimuth_deg: "NDArray[Any]", elevation_deg: "NDArray[Any]", other_azimuth_deg: "NDArray[Any]",
    other_elevation_deg: "NDArray[Any]",
) -> "NDArray[Any]":  # fmt: skip
    """Angles on the sphere between directions of any shapes that broadcast, 0 to 180."""
    import numpy as np

    up, other_up = np.radians(elevation_deg), np.radians(other_elevation_deg)
    turn = np.radians(np.asarray(other_azimuth_deg) - azimuth_deg)
    half = np.sin((other_up - up) / 2) ** 2 + np.cos(up) * np.cos(other_up) * np.sin(turn / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def bearing_interval_deg(
    low_deg: Angle, high_deg: Angle, azimuth_deg: Angle, heading_deg: float
) -> tuple[Angle, Angle]:
    """Interval of the bearing of an azimuth that lies in [low_deg, high_deg].

    Bearings run the other way, so the high end of the azimuth becomes the low end. The ends stand about the bearing in
    [0, 360) as they stood about the azimuth, so they may lie below 0 or beyond 360.
    """
    bearing = circle_deg(heading_deg - azimuth_deg)
    return bearing - (high_deg - azimuth_deg), bearing + (azimuth_deg - low_deg)
