"""The stochastic Cramér-Rao bound without coupling, written in numpy from the textbook."""

import numpy as np
from numpy.typing import NDArray

from doamc.scenes import Scene


def stochastic_crb(
    positions: NDArray[np.float64],  # shape: (N, 2 or 3), wavelengths
    azimuth: NDArray[np.float64],  # shape: (P,), rad
    power: NDArray[np.float64],  # shape: (P,)
    noise_power: float, n_snapshots: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Standard deviations (P,) in rad for Gaussian sources of unknown covariance (Stoica and Nehorai 1990).

    CRB = s2 / (2 L) {Re[(D^H Q D) o (P A^H R^-1 A P)^T]}^-1, Q the projector off the columns of A.
    """
    x, y = positions[:, 0, None], positions[:, 1, None]
    a = np.exp(2j * np.pi * (x * np.cos(azimuth) + y * np.sin(azimuth)))
    d = 2j * np.pi * (-x * np.sin(azimuth) + y * np.cos(azimuth)) * a
    p = np.diag(power)
    r = a @ p @ a.conj().T + noise_power * np.eye(len(a))
    q = np.eye(len(a)) - a @ np.linalg.inv(a.conj().T @ a) @ a.conj().T
    fisher = ((d.conj().T @ q @ d) * (p @ a.conj().T @ np.linalg.inv(r) @ a @ p).T).real
    return np.sqrt(np.diag(np.linalg.inv(fisher)) * noise_power / (2 * n_snapshots))


def crb_of_scene(scene: Scene, n_snapshots: int) -> NDArray[np.float64]:
    """Bounds (B, P) in rad of a batch of scenes, coupling left out."""
    rows = zip(scene.azimuth.numpy(), scene.power.numpy(), scene.noise_power.numpy(), strict=True)
    return np.array([stochastic_crb(scene.spec.positions.numpy(), *row, n_snapshots) for row in rows])


def one_source_ula_std(
    n: int, spacing: float, azimuth: float, power: float, noise_power: float, n_snapshots: int
) -> float:
    """Standard deviation in rad: closed form for one source on a uniform linear array.

    6 s2 (1 + s2 / (N p)) / (L p (2 pi d cos az)^2 N (N^2 - 1)), from D^H Q D = N (N^2 - 1) / 12 and
    p^2 a^H R^-1 a = p / (1 + s2 / (N p)).
    """
    per_phase = 6 * noise_power * (1 + noise_power / (n * power)) / (n_snapshots * power * n * (n**2 - 1))
    return np.sqrt(per_phase) / (2 * np.pi * spacing * np.cos(azimuth))
