"""The part of the sky that holds a direction with 90 % probability, as a closed curve, and its way round the zenith.

Deviations of azimuth and elevation make an ellipse in the plane that touches the sphere at the direction, `std_deg`
times the cosine of elevation wide; great circles from the direction carry it onto the sphere. So it is right near the
zenith, too, where the same angle on the sky is a wide one of azimuth.
"""

import math

import numpy as np
from numpy.typing import NDArray

#: half axes of the ellipse that holds 90 % of a Gaussian of two variables, and reach of one-sided 90 %, deviations
ELLIPSE_90, ONE_SIDED_90 = math.sqrt(-2 * math.log(0.1)), 1.281552
#: standard deviation of azimuth from which on an azimuth is as good as unknown; of one that is unknown, 104
BLIND_DEG = 45.0
_CURVE = 73


def sky_ellipse(
    azimuth_deg: float, elevation_deg: float, std_deg: float, elevation_std_deg: float, correlation: float = 0.0
) -> NDArray[np.float64] | None:
    """Azimuths in [-180, 180] and elevations (n, 2) of a closed curve, degrees; None where a deviation is not known.

    correlation: of the errors of both angles. Where the curve would hold the zenith (or the nadir) and azimuth is as
    good as unknown, it is the circle about it that elevation alone makes.
    """
    if not (std_deg > 0 and elevation_std_deg > 0):
        return None
    turn, pole = np.linspace(0.0, 2 * np.pi, _CURVE), math.copysign(90.0, elevation_deg)
    if std_deg >= BLIND_DEG and abs(elevation_deg) + ELLIPSE_90 * elevation_std_deg >= 90:
        reach = min(90.0, 90 - abs(elevation_deg) + ONE_SIDED_90 * elevation_std_deg)
        return np.stack([np.degrees(turn) - 180.0, np.full(_CURVE, pole - math.copysign(reach, pole))], 1)
    az, el = math.radians(azimuth_deg), math.radians(elevation_deg)
    right = ELLIPSE_90 * math.radians(std_deg) * math.cos(el) * np.cos(turn)
    slant = correlation * np.cos(turn) + math.sqrt(max(0.0, 1 - correlation**2)) * np.sin(turn)
    up = ELLIPSE_90 * math.radians(elevation_std_deg) * slant
    away = np.hypot(right, up)
    share = np.minimum(1.0, 0.5 * math.pi / np.maximum(away, 1e-300))  # no further than a quarter of the sphere
    right, up, away = right * share, up * share, away * share
    ahead = np.array([math.cos(el) * math.cos(az), math.cos(el) * math.sin(az), math.sin(el)])
    beside = np.array([-math.sin(az), math.cos(az), 0.0])
    over = np.array([-math.sin(el) * math.cos(az), -math.sin(el) * math.sin(az), math.cos(el)])
    along = np.sinc(away / np.pi)[:, None] * (right[:, None] * beside + up[:, None] * over)
    x, y, z = (np.cos(away)[:, None] * ahead + along).T
    return np.degrees(np.stack([np.arctan2(y, x), np.arcsin(np.clip(z, -1.0, 1.0))], 1))


def unrolled(curve: NDArray[np.float64], near_deg: float) -> NDArray[np.float64]:
    """The curve for a plot of azimuth by elevation: azimuths about `near_deg` without jumps by a turn, (n, 2).

    One that goes round a pole is closed along the edge of the plot there.
    """
    azimuth = np.unwrap(curve[:, 0], period=360.0)
    azimuth += 360.0 * np.round((near_deg - azimuth.mean()) / 360.0)
    out = np.stack([azimuth, curve[:, 1]], 1)
    if abs(azimuth[-1] - azimuth[0]) > 180:
        edge = math.copysign(90.0, curve[:, 1].mean())
        out = np.concatenate([out, [[azimuth[-1], edge], [azimuth[0], edge]]])
    return out


def below_horizon(elevation_deg: NDArray[np.float64] | None) -> bool:
    """Whether a plot must show what lies below the horizon: any elevation (P,) under it by more than rounding."""
    return elevation_deg is not None and bool((np.nan_to_num(elevation_deg) < -0.5).any())
