"""Azimuths that minimise a quadratic form f(az) = a(az)^H M a(az), M Hermitian.

Bartlett (M = -R), Capon (M = R^-1) and MUSIC (M = G G^H) are all of this kind. The grid search is one real
matrix product, since f is linear in the entries of M; Newton steps then remove the grid.
"""

import math

import torch

from doamc.angles import wrap_rad
from doamc.estimators.peaks import azimuth_grid, highest_peaks
from doamc.spec import ArraySpec


class QuadraticSpectrum:
    """Grid and search for one array; works for any geometry, at elevation 0.

    step_deg: about the grid step; it has only to separate neighbouring minima.
    """

    def __init__(self, spec: ArraySpec, step_deg: float = 0.25) -> None:
        self.spec = spec
        self.grid = azimuth_grid(spec, step_deg)
        self._xy = 2 * math.pi * spec.positions[:, :2]
        self._upper = torch.triu_indices(spec.n_elements, spec.n_elements, 1)
        a, _, _ = self._steering(self.grid[None])
        pair = a[0, self._upper[0]].conj() * a[0, self._upper[1]]
        self._kernel = 2 * torch.cat([pair.real, -pair.imag])

    def values(self, matrix: torch.Tensor) -> torch.Tensor:
        """Values of f on the grid: M (B, N, N) Hermitian -> (B, G) real."""
        entries = matrix[:, self._upper[0], self._upper[1]]
        trace = matrix.diagonal(dim1=1, dim2=2).real.sum(1, keepdim=True)
        return trace + torch.cat([entries.real, entries.imag], 1) @ self._kernel.to(matrix.device)

    def minima(self, matrix: torch.Tensor, n_minima: int) -> torch.Tensor:
        """Azimuths (B, n_minima) in rad of the lowest local minima of f in the sector, ascending; M is (B, N, N)."""
        grid = self.grid.to(matrix.device)
        start = highest_peaks(-self.values(matrix), grid, n_minima, self.spec.full_circle)
        low, high = self.spec.sector_rad
        step = float(grid[1] - grid[0])
        azimuth = start
        for _ in range(3):
            slope, bend = self._derivatives(matrix, azimuth)
            move = torch.where(bend > 0, -slope / bend.clamp_min(1e-300), 0.0)
            azimuth = start + (azimuth + move - start).clamp(-step, step)
        if self.spec.full_circle:
            return wrap_rad(azimuth, low).sort(1)[0]
        return azimuth.clamp(low, high).sort(1)[0]

    def _steering(self, azimuth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """a, da/daz and d2a/daz2, each (B, N, P). At elevation 0 the phase obeys phase'' = -phase."""
        xy = self._xy.to(azimuth.device)
        x, y, az = xy[:, 0, None], xy[:, 1, None], azimuth[:, None, :]
        phase, slope = x * az.cos() + y * az.sin(), y * az.cos() - x * az.sin()
        a = torch.polar(torch.ones_like(phase), phase)
        return a, 1j * slope * a, (-1j * phase - slope**2) * a

    def _derivatives(self, matrix: torch.Tensor, azimuth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Slope f' and curvature f'' by azimuth, each (B, P)."""
        a, d, d2 = self._steering(azimuth)
        ma = matrix @ a
        slope = 2 * (d.conj() * ma).sum(1).real
        return slope, 2 * ((d.conj() * (matrix @ d)).sum(1) + (d2.conj() * ma).sum(1)).real
