"""What a telescope measures: baselines turned by the Earth, and the cells of the grid that they pass: [Thompson] ch. 4.

    u = sin(H) X + cos(H) Y
    v = -sin(d) cos(H) X + sin(d) sin(H) Y + cos(d) Z
    w = cos(d) cos(H) X - cos(d) sin(H) Y + sin(d) Z

(X, Y, Z) a baseline in the equatorial frame (X towards the meridian on the equator, Y east, Z the pole), H the hour
angle of the phase centre and d its declination.
"""

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.visibilities import check_side


def equatorial(enu: NDArray[np.float64], latitude_deg: float) -> NDArray[np.float64]:
    """Antennas (N, 3) or (N, 2), east, north and up, in the equatorial frame, (N, 3)."""
    east, north, up = np.pad(np.asarray(enu, float), ((0, 0), (0, 3 - np.shape(enu)[1]))).T
    latitude = np.deg2rad(latitude_deg)
    return np.stack([np.cos(latitude) * up - np.sin(latitude) * north, east,
                     np.sin(latitude) * up + np.cos(latitude) * north], 1)  # fmt: skip


def tracks(
    antennas: NDArray[np.float64],  # shape: (N, 3), equatorial frame
    declination_deg: float,
    hour_angles: NDArray[np.float64],  # shape: (T,), hours, or (T, N): NaN where an antenna does not see the source
) -> NDArray[np.float64]:
    """Baselines (M, 3) u, v, w of all pairs p < q at all times, in the unit of the antennas."""
    angles, d = np.asarray(hour_angles, float), np.deg2rad(declination_deg)
    if angles.ndim == 1:
        angles = np.broadcast_to(angles[:, None], (len(angles), len(antennas)))
    p, q = np.triu_indices(len(antennas), 1)
    x, y, z = (antennas[p] - antennas[q]).T
    seen = np.isfinite(angles[:, p]) & np.isfinite(angles[:, q])
    h = np.where(seen, angles[:, p], 0) * np.pi / 12
    u = np.sin(h) * x + np.cos(h) * y
    v = -np.sin(d) * np.cos(h) * x + np.sin(d) * np.sin(h) * y + np.cos(d) * z
    w = np.cos(d) * np.cos(h) * x - np.cos(d) * np.sin(h) * y + np.sin(d) * z
    return np.stack([u[seen], v[seen], w[seen]], 1)


def grid_mask(uv: NDArray[np.float64], side: int, longest: float = 0.95) -> NDArray[np.bool_]:
    """Cells (n, n) of the grid that baselines (M, 2 or 3) pass, and their mirror images.

    The longest baseline comes to lie at this share of n / 2 cycles an image. Raises ImagingError without baselines.
    """
    check_side((side, side))
    uv = np.asarray(uv, float)[:, :2]
    if not len(uv) or not np.abs(uv).max() > 0:
        raise ImagingError("expected baselines, found none")
    k = np.rint(uv * (longest * side / 2 / np.hypot(*uv.T).max())).astype(int)
    mask = np.zeros((side, side), bool)
    mask[k[:, 1] % side, k[:, 0] % side] = mask[-k[:, 1] % side, -k[:, 0] % side] = True
    mask[0, 0] = False  # the total flux is seen by no interferometer
    return mask
