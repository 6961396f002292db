"""Azimuths and bearings: the one place in Python that turns one into the other (docs/bearings.md).

An azimuth runs counter-clockwise from the array's +x axis, a bearing clockwise from true north. With the heading, the
bearing of the +x axis: ``bearing = (heading - azimuth) mod 360``. The page of the dashboard does the same in
``static/js/angles.js``; one table of values tests both. All angles are in degrees; numbers and arrays alike.
"""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Angle = TypeVar("_Angle", float, "NDArray[np.float64]")


def circle_deg(angle_deg: _Angle) -> _Angle:
    """The angle in [0, 360): twice, since the remainder of -1e-20 is 360."""
    return angle_deg % 360.0 % 360.0


def bearing_deg(azimuth_deg: _Angle, heading_deg: float) -> _Angle:
    """Bearing in [0, 360) of an azimuth; its standard deviation is that of the azimuth."""
    return circle_deg(heading_deg - azimuth_deg)


def azimuth_deg(bearing_deg: _Angle, heading_deg: float) -> _Angle:
    """Azimuth in [0, 360) of a bearing."""
    return circle_deg(heading_deg - bearing_deg)


def bearing_interval_deg(
    low_deg: _Angle, high_deg: _Angle, azimuth_deg: _Angle, heading_deg: float
) -> tuple[_Angle, _Angle]:
    """Interval of the bearing of an azimuth that lies in [low_deg, high_deg].

    Bearings run the other way, so the high end of the azimuth becomes the low end. The ends stand about the bearing in
    [0, 360) as they stood about the azimuth, so they may lie below 0 or beyond 360.
    """
    bearing = circle_deg(heading_deg - azimuth_deg)
    return bearing - (high_deg - azimuth_deg), bearing + (azimuth_deg - low_deg)
