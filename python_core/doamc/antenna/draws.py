"""Arrays as they may have been built: deviations from the plan, solved, as extended coupling matrices.

One draw: the whole array has its length, radius, load and frequency, each element its own deviations, each receiver
its gain and phase. The result is the matrix E of v(az) = E a_ext(az) with the nominal steering vector,
a_ext = [a; cos az a; sin az a; ...]. For thin vertical wires v = C_e a(az) at the *true* positions holds exactly, so
that E = C_e [1, j 2 pi D_x, j 2 pi D_y] to first order in position errors; what is left (second order, a mast) is
fitted by regularised least squares over the sector.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from doamc.angles import circle_deg
from doamc.antenna.response import (
    Built,
    coupling_matrix,
    embedded_response,
    scale_to,
    solve_built,
    steering_vectors,
)
from doamc.spec.antenna import Antenna

_RIDGE_CIRCLE = 1e-6  #: of the mean eigenvalue; the fit at the true positions is exact, so this only bounds the inverse
_RIDGE_SECTOR = 1e-4  #: of the mean eigenvalue; the blocks of a_ext overlap strongly


@dataclass(frozen=True)
class Drawn:
    """One drawn array.

    extended: (N, J N) the matrix E. coupling: (N, N) from port impedances and loads, receivers included.
    response: (N, G) v(az) over the grid. All three on the same scale. rough: whether a rough builder made it.
    """

    extended: np.ndarray
    coupling: np.ndarray
    response: np.ndarray
    rough: bool = False


def azimuth_count(positions: np.ndarray) -> int:
    """Number of azimuths around the circle that is dense enough for the aperture of positions (N, 2), at least 72."""
    radius = np.linalg.norm(positions[:, :2] - positions[:, :2].mean(0), axis=1).max()
    return 24 * math.ceil(max(72, 4 * (2 * math.pi * radius + 6)) / 24)


def azimuth_grid(positions: np.ndarray) -> np.ndarray:
    """Azimuths (G,) in deg around the circle, `azimuth_count` of them; step at most 5 deg."""
    count = azimuth_count(positions)
    return np.arange(count) * 360.0 / count


def blocks_of(azimuth_deg: np.ndarray, n_blocks: int) -> np.ndarray:
    """Angular functions 1, cos az, sin az, cos 2 az, ...: (J, G)."""
    az = np.deg2rad(azimuth_deg)
    return np.stack([np.cos((j + 1) // 2 * az) if j % 2 or not j else np.sin(j // 2 * az) for j in range(n_blocks)])


def extended_steering(positions: np.ndarray, azimuth_deg: np.ndarray, n_blocks: int) -> np.ndarray:
    """a_ext(az), (J N, G)."""
    a = steering_vectors(positions, azimuth_deg)
    return (blocks_of(azimuth_deg, n_blocks)[:, None] * a).reshape(-1, a.shape[1])


def draw_built(
    antenna: Antenna, positions: np.ndarray, rng: np.random.Generator, rough: bool
) -> tuple[Built, np.ndarray, float]:
    """A built array, receivers' gains (N,) complex, and the frequency relative to nominal."""
    d, n = antenna.draws, len(positions)
    severity = rng.uniform(2 / 3, 4 / 3) if rough else 1.0

    def deviation(pair: tuple[float, float]) -> float:
        return pair[int(rough)] * severity

    length = antenna.length * (1 + d.length_percent / 100 * rng.standard_normal())
    radius = antenna.radius * d.radius_factor ** rng.uniform(-1, 1)
    load = antenna.load + d.load_ohm * complex(*rng.standard_normal(2))
    frequency = 1 + d.frequency_percent / 100 * rng.standard_normal()
    lengths = length * (1 + deviation(d.element_length_percent) / 100 * rng.standard_normal(n))
    loads = load + deviation(d.element_load_ohm) * (rng.standard_normal(n) + 1j * rng.standard_normal(n))
    shift = deviation(d.position_wavelengths) * rng.standard_normal((n, 2))
    shift -= shift.mean(0)  # a shift of the whole array turns every source's phase, nothing else
    gain_db, phase = deviation(d.gain_db) * rng.standard_normal(n), deviation(d.phase_deg) * rng.standard_normal(n)
    gains = 10 ** (gain_db / 20) * np.exp(1j * np.deg2rad(phase))
    built = Built(positions[:, :2] + shift, lengths, np.full(n, radius), np.maximum(loads.real, 0) + 1j * loads.imag)
    return built.scaled(frequency), gains, frequency


def solve_draw(
    antenna: Antenna,
    positions: np.ndarray,  # shape: (N, >= 2), nominal, wavelengths
    sector_deg: tuple[float, float],
    seed: tuple[int, int],
) -> list[Drawn]:
    """Draw one array and solve it at every frequency of [antenna]. seed: of the run, and the number of this draw."""
    rng = np.random.default_rng(seed)
    rough = bool(rng.random() < antenna.draws.rough_share)
    built, gains, own = draw_built(antenna, positions, rng, rough)
    out = []
    for f in antenna.frequencies:
        at = built.scaled(f, antenna.tuned)
        out.append(replace(extend(antenna, f * positions, at, gains, sector_deg, f * own), rough=rough))
    return out


def extend(
    antenna: Antenna,
    positions: np.ndarray,  # shape: (N, >= 2), nominal, wavelengths
    built: Built,
    gains: np.ndarray,  # shape: (N,)
    sector_deg: tuple[float, float],
    frequency: float = 1.0,
) -> Drawn:
    """Solve a built array and fit its extended matrix."""
    grid = azimuth_grid(positions)
    ports = solve_built(antenna, built, grid, frequency)
    coupling = coupling_matrix(ports, built.load)
    true = steering_vectors(built.positions, grid)
    v = embedded_response(ports, built.load)
    v = v * scale_to(v, coupling @ true)[0]
    own = coupling + ridge_fit(v - coupling @ true, true, _RIDGE_CIRCLE)
    error = 2j * np.pi * (built.positions - positions[:, :2])
    blocks = [own, *(own * error[:, k] for k in range(min(2, antenna.blocks - 1)))]
    extended = np.concatenate(blocks + [np.zeros_like(own)] * (antenna.blocks - len(blocks)), 1)
    inside = in_sector(grid, sector_deg)
    known = extended_steering(positions, grid[inside], antenna.blocks)
    extended = extended + ridge_fit(v[:, inside] - extended @ known, known, _RIDGE_SECTOR)
    return Drawn(gains[:, None] * extended, gains[:, None] * coupling, gains[:, None] * v)


def ridge_fit(
    target: np.ndarray,  # shape: (N, G)
    inputs: np.ndarray,  # shape: (M, G)
    ridge: float,
) -> np.ndarray:
    """Matrix (N, M) of least squares, its size held down by a share of the mean eigenvalue of the inputs' Gram."""
    gram = inputs @ inputs.conj().T
    gram += ridge * np.trace(gram).real / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, inputs @ target.conj().T).conj().T


def in_sector(azimuth_deg: np.ndarray, sector_deg: tuple[float, float]) -> np.ndarray:
    """Which azimuths lie in a sector, modulo a turn: (G,) bool."""
    return circle_deg(azimuth_deg - sector_deg[0]) <= sector_deg[1] - sector_deg[0] + 1e-9
