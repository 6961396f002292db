"""Azimuths that minimise a quadratic form f(az) = a(az)^H M a(az), M Hermitian.

Bartlett (M = -R), Capon (M = R^-1) and MUSIC (M = G G^H) are all of this kind. The grid search is one real
matrix product, since f is linear in the entries of M; Newton steps then remove the grid. The compiled loops do both in
one call; without them the arrays are NumPy's, whose small operations cost a third of torch's.
"""

import numpy as np
import torch

from doamc.angles import wrap_rad
from doamc.estimators.peaks import azimuth_grid
from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import SpectrumGrid, minima
from doamc.spec import ArraySpec

CPU = torch.device("cpu")
NEWTON_STEPS = 2  #: from where a parabola through three points of the grid leads, to the last digits


class QuadraticSpectrum:
    """Grid and search for one array; works for any geometry, at elevation 0.

    step_deg: about the grid step; it has only to separate neighbouring minima.
    """

    def __init__(self, spec: ArraySpec, step_deg: float = 0.25) -> None:
        self.spec = spec
        self.grid = azimuth_grid(spec, step_deg)
        self._azimuth = self.grid.numpy()
        self._xy = spec.wave_xy[:, :, None]
        self._upper = np.triu_indices(spec.n_elements, 1)
        a, _ = self.response(self._azimuth[None])
        pair = a[0, self._upper[0]].conj() * a[0, self._upper[1]]
        self._kernel = torch.from_numpy(2 * np.concatenate([pair.real, -pair.imag]))
        self.grid_of_loops = SpectrumGrid(
            spec.wave_xy, self._azimuth, self._kernel.numpy(), spec.full_circle, NEWTON_STEPS,
            spec.sector_rad,
        )  # fmt: skip

    def values(self, matrix: torch.Tensor) -> torch.Tensor:
        """Values of f on the grid: M (B, N, N) Hermitian -> (B, G) real."""
        return torch.from_numpy(self._values(matrix.resolve_conj().cpu().numpy()))

    def minima(self, matrix: torch.Tensor, n_minima: int) -> torch.Tensor:
        """Azimuths (B, n_minima) in rad of the lowest local minima of f in the sector, ascending; M is (B, N, N)."""
        m, loops = matrix.resolve_conj().cpu().numpy(), loops_for(CPU)
        return torch.from_numpy(minima(loops, self.grid_of_loops, m, n_minima) if loops else self.by_numpy(m, n_minima))

    def by_numpy(self, m: np.ndarray, n_minima: int) -> np.ndarray:
        """Azimuths (B, n_minima) as NumPy finds them: the reference of the compiled loops."""
        start = self._lowest(self._values(m), n_minima)
        step = self._azimuth[1] - self._azimuth[0]
        azimuth = start
        for _ in range(NEWTON_STEPS):
            slope, bend = self._derivatives(m, azimuth)
            move = np.where(bend > 0, -slope / np.maximum(bend, 1e-300), 0.0)
            azimuth = start + np.minimum(np.maximum(azimuth + move - start, -step), step)
        low, high = self.spec.sector_rad
        azimuth = wrap_rad(azimuth, low) if self.spec.full_circle else np.minimum(np.maximum(azimuth, low), high)
        azimuth.sort(1)
        return azimuth

    def response(self, azimuth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """a and da/daz, each (B, N, P), at azimuth (B, P)."""
        phase, slope = self._phase(azimuth)
        a = np.exp(1j * phase)
        return a, 1j * slope * a

    def _phase(self, azimuth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Phases of a and their slopes by azimuth, each (B, N, P); a slope's slope is minus the phase."""
        az = azimuth[:, None]
        cosine, sine, x, y = np.cos(az), np.sin(az), self._xy[:, 0], self._xy[:, 1]
        return x * cosine + y * sine, y * cosine - x * sine

    def _values(self, m: np.ndarray) -> np.ndarray:
        entries = m[:, self._upper[0], self._upper[1]]
        trace = m.real.trace(axis1=1, axis2=2)[:, None]
        flat = torch.from_numpy(np.concatenate([entries.real, entries.imag], 1))
        return trace + (flat @ self._kernel).numpy()  # the one large product: NumPy's would wake threads of its own

    def _lowest(self, f: np.ndarray, count: int) -> np.ndarray:
        """Azimuths (B, count) of the lowest local minima by a parabola; lowest other points where there are fewer."""
        inner = np.zeros(f.shape, dtype=bool)
        inner[:, 1:-1] = (f[:, 1:-1] <= f[:, :-2]) & (f[:, 1:-1] < f[:, 2:])
        first, last, end = f[:, 0], f[:, -1], inner.copy()
        if self.spec.full_circle:
            end[:, 0], end[:, -1] = (first <= last) & (first < f[:, 1]), (last <= f[:, -2]) & (last < first)
        else:  # a source at the end of the sector is at or beyond the last grid point
            end[:, 0], end[:, -1] = first < f[:, 1], last < f[:, -2]
        span = f.max(1, keepdims=True) - f.min(1, keepdims=True) + 1.0
        place = (f + span * ~end).argpartition(count - 1, 1)[:, :count]
        item, size = np.arange(len(f))[:, None], f.shape[1]
        left, middle, right = f[item, place - 1], f[item, place], f[item, (place + 1) % size]
        bend = np.maximum(left - 2 * middle + right, 1e-300)
        shift = np.where(inner[item, place], 0.5 * (left - right) / bend, 0.0)
        return self._azimuth[place] + shift * (self._azimuth[1] - self._azimuth[0])

    def _derivatives(self, m: np.ndarray, azimuth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slope f' and curvature f'' by azimuth, each (B, P).

        With phases phi of a and slopes s of these, q = a* (M a): f' = 2 sum s Im q and
        f'' = 2 (Re (s a)^H M (s a) - sum (phi Im q + s^2 Re q)).
        """
        phase, slope = self._phase(azimuth)
        a, p = np.exp(1j * phase), azimuth.shape[1]
        sides = np.concatenate([a, slope * a], 2)
        products = sides.conj() * (m @ sides)
        q, square = products[:, :, :p], slope * slope
        bend = products[:, :, p:].real - phase * q.imag - square * q.real
        return 2 * (slope * q.imag).sum(1), 2 * bend.sum(1)
