"""Directions that minimise a quadratic form f(u) = a(u)^H M a(u), M Hermitian: `quadratic` for both angles.

The grid is as fine as the beamwidth asks; a parabola through ever nearer directions removes it.
"""

import math

import torch

from doamc.estimators.sphere import SphereGrid
from doamc.spec import ArraySpec

BLOCK = 1 << 22  #: entries of products on the grid that are held at once


class SphereQuadratic:
    """Grid and search for one array with elevations."""

    def __init__(self, spec: ArraySpec) -> None:
        self.grid = SphereGrid(spec)
        self._wave = 2 * math.pi * spec.positions
        self._a = self._steering(self.grid.unit).mT.contiguous()  # (N, G)

    def values(self, matrix: torch.Tensor) -> torch.Tensor:
        """Values of f on the grid: M (B, N, N) Hermitian -> (B, G) real."""
        a, parts = self._a, matrix.split(max(1, BLOCK // self._a.numel()))
        return torch.cat([(a.conj() * (m @ a)).real.sum(1) for m in parts])

    def minima(self, matrix: torch.Tensor, n_minima: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Azimuths and elevations (B, n_minima), rad, of the lowest local minima of f in the sector; M is (B, N, N)."""
        matrix = matrix.resolve_conj().cpu()
        places = self.grid.lowest(self.values(matrix), n_minima)

        def form(unit: torch.Tensor) -> torch.Tensor:
            a = self._steering(unit)
            return (a.conj() * (a @ matrix.mT[:, None])).real.sum(-1)

        return self.grid.refined(form, places)

    def _steering(self, unit: torch.Tensor) -> torch.Tensor:
        """Steering vectors (..., N) of unit vectors (..., 3)."""
        phase = unit @ self._wave.T
        return torch.polar(torch.ones_like(phase), phase)
