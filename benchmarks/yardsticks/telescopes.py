"""Coverages after telescopes that exist: positions from their public descriptions, rounded."""

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.coverage import equatorial, grid_mask, tracks

#: stations of the Event Horizon Telescope in 2017, geocentric, km: ALMA, APEX, LMT, SMT, JCMT, SMA, IRAM 30 m, SPT
EHT_KM = np.array([
    (2225.06, -5440.06, -2481.68), (2225.04, -5441.20, -2479.30), (-768.71, -5988.54, 2063.28),
    (-1828.80, -5054.41, 3427.87), (-5464.58, -2493.00, 2150.65), (-5464.52, -2493.15, 2150.61),
    (5088.97, -301.68, 3825.02), (0.01, 0.01, -6359.61),
])  # fmt: skip
#: elevation below which a station does not observe, deg
HORIZON_DEG = 10.0


def vla() -> NDArray[np.float64]:
    """27 antennas on three arms, distances as k^1.716; equatorial frame."""
    along = np.arange(1, 10) ** 1.716
    arms = np.deg2rad([355.0, 115.0, 236.0])
    enu = np.concatenate([np.stack([along * np.sin(a), along * np.cos(a)], 1) for a in arms])
    return equatorial(enu, 34.08)


def alma(rng: np.random.Generator) -> NDArray[np.float64]:
    """43 antennas in a compact configuration: at random in a disc."""
    radius, angle = np.sqrt(rng.random(43)), 2 * np.pi * rng.random(43)
    return equatorial(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), -23.03)


def eht_hours(declination_deg: float, gmst_hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Greenwich hour angles (T, 8), NaN where the source is below the horizon of a station."""
    up = EHT_KM / np.linalg.norm(EHT_KM, axis=1, keepdims=True)
    h, d = gmst_hours * np.pi / 12, np.deg2rad(declination_deg)
    source = np.stack([np.cos(d) * np.cos(h), -np.cos(d) * np.sin(h), np.full_like(h, np.sin(d))], 1)
    return np.where(source @ up.T > np.sin(np.deg2rad(HORIZON_DEG)), gmst_hours[:, None], np.nan)


def coverages(side: int) -> dict[str, NDArray[np.bool_]]:
    """Masks (n, n): a long track and a snapshot of the VLA, an hour of ALMA, a night of the EHT."""
    return {
        "vla": grid_mask(tracks(vla(), 30.0, np.linspace(-4, 4, 97)), side),
        "snapshot": grid_mask(tracks(vla(), 30.0, np.zeros(1)), side),
        "alma": grid_mask(tracks(alma(np.random.default_rng(1)), -40.0, np.linspace(-0.5, 0.5, 13)), side),
        "eht": grid_mask(tracks(EHT_KM, 12.39, eht_hours(12.39, np.linspace(-12, 12, 289))), side),
    }
