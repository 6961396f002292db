"""A covariance that an array measures of points in the sky, written out here once more."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scene:
    """positions (N, 3) in wavelengths; azimuth_deg, elevation_deg, power (P,); noise power; coupling (N, N)."""

    positions: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    power: np.ndarray
    noise: float
    coupling: np.ndarray

    @property
    def directions(self):
        az, el = np.radians(self.azimuth_deg), np.radians(self.elevation_deg)
        return np.stack([np.cos(az) * np.cos(el), np.sin(az) * np.cos(el), np.sin(el)], 1)

    @property
    def covariance(self):
        v = self.coupling @ np.exp(2j * np.pi * self.positions @ self.directions.T)
        return (v * self.power) @ v.conj().T + self.noise * np.eye(len(v))

    def sample(self, snapshots, seed=0):
        """Sample covariance of so many independent snapshots."""
        rng, n = np.random.default_rng(seed), len(self.positions)
        lower = np.linalg.cholesky(self.covariance)
        # Bartlett's decomposition: a triangle of chi and normal variables has the distribution of Z Z^H
        z = np.tril(rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)), -1) / np.sqrt(2)
        z[np.diag_indices(n)] = np.sqrt(rng.gamma(snapshots - np.arange(n)))
        return lower @ z @ z.conj().T @ lower.conj().T / snapshots


def scene(positions, azimuth_deg, elevation_deg=0.0, power=1.0, noise=0.1, coupling=None):
    azimuth = np.atleast_1d(np.asarray(azimuth_deg, float))
    elevation, power = (np.broadcast_to(np.asarray(v, float), azimuth.shape) for v in (elevation_deg, power))
    n = len(positions)
    return Scene(np.asarray(positions), azimuth, elevation, power, noise, np.eye(n) if coupling is None else coupling)


def circle(n=16, radius=1.2815):
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], 1)


def panel(rows=4, columns=4):
    """Half a wavelength apart across +x."""
    z, y = np.meshgrid(0.5 * np.arange(rows), 0.5 * np.arange(columns), indexing="ij")
    return np.stack([0 * y.ravel(), y.ravel(), z.ravel()], 1)


def line(n=8):
    return np.stack([np.zeros(n), 0.5 * np.arange(n), np.zeros(n)], 1)


def circulant(n, *coefficients):
    """Coupling of a ring: 1, then c_k to both neighbours k places away."""
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return np.concatenate([[1.0], coefficients, np.zeros(n)])[np.minimum(lag, n - lag)]
