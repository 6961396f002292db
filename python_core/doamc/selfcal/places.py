"""Where the sources of a batch may be, once a coupling is assumed: starting scenes for the fit.

The null spectrum of MUSIC with the assumed response gives sets of peaks; an alternating projection adds the set that
explains most power; and the strongest source may be two.
"""

import torch

from doamc.coupling.angular import extended_steering
from doamc.coupling.drawn import DrawnFamily
from doamc.estimators.alternating_projection import alternating_projection
from doamc.estimators.peaks import azimuth_grid, highest_peaks, peak_sets
from doamc.estimators.sphere import SphereGrid
from doamc.spec import ArraySpec

STEP_DEG = 0.5  #: of the grid; a fit follows


class Places:
    """Grid of directions of an array, of azimuths where it has no elevations, and the search on it."""

    def __init__(self, spec: ArraySpec, n_blocks: int) -> None:
        self.wraps = spec.full_circle
        self.sphere = SphereGrid(spec) if spec.elevated else None
        self.grid = azimuth_grid(spec, STEP_DEG) if self.sphere is None else self.sphere.azimuth
        tilt = 0.0 if self.sphere is None else self.sphere.elevation
        aperture = float(torch.cdist(spec.positions, spec.positions).max())
        self._apart = 0.15 / max(aperture, 0.5)  # rad, a sixth of a beam
        self._steering = extended_steering(spec.positions, self.grid, n_blocks, tilt)  # (J N, G)

    def __call__(
        self,
        family: DrawnFamily,
        covariance: torch.Tensor,  # shape: (B, N, N)
        n_sources: int,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Sets of azimuths (B, P, Q) in rad, ascending, for the family's mean, and elevations where there are any."""
        response = family.mean @ self._steering
        response = response / response.abs().square().sum(0).sqrt()
        signal = torch.linalg.eigh(covariance)[1][:, :, -n_sources:]
        spectrum = (signal.mH @ response).abs().square().sum(1)
        sets = peak_sets(n_sources)
        if self.sphere is not None:
            return self._on_sphere(self.sphere, response, spectrum, covariance, n_sources)
        peaks = highest_peaks(spectrum, self.grid, max(max(s) for s in sets) + 1, self.wraps, True)
        found = [peaks[:, list(s)] for s in sets]
        found.append(self.grid[self._project(response, covariance, n_sources)])
        if n_sources > 1:  # two emitters within a beam have one peak
            fewer = self.grid[self._project(response, covariance, n_sources - 1)]
            found.append(torch.cat([fewer + self._apart, fewer[:, :1] - self._apart], 1))
        places = torch.stack(found, 2)
        return (places if self.wraps else places.clamp(self.grid[0], self.grid[-1])).sort(1)[0], None

    def _on_sphere(
        self, sphere: SphereGrid, response: torch.Tensor, spectrum: torch.Tensor, covariance: torch.Tensor, p: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`__call__` of an array with elevations: the two of a beam stand beside or above each other."""
        sets = peak_sets(p)
        peaks = sphere.lowest(-spectrum, max(max(s) for s in sets) + 1)
        places = [peaks[:, list(s)] for s in sets] + [self._project(response, covariance, p)]
        azimuth, elevation = (angle[torch.stack(places, 2)] for angle in (sphere.azimuth, sphere.elevation))
        if p > 1:
            fewer = self._project(response, covariance, p - 1)
            place = torch.cat([fewer, fewer[:, :1]], 1)
            for beside, above in ((self._apart, 0.0), (0.0, self._apart)):
                side = torch.ones(p, dtype=torch.float64)
                side[-1] = -1.0
                tilt = sphere.elevation[place] + above * side
                turn = sphere.azimuth[place] + beside * side / tilt.cos()
                azimuth, elevation = (
                    torch.cat([azimuth, turn[..., None]], 2),
                    torch.cat([elevation, tilt[..., None]], 2),
                )
        azimuth, order = azimuth.sort(1)
        low, high = sphere.spec.elevation_rad
        return azimuth, elevation.gather(1, order).clamp(low, high)

    def _project(self, response: torch.Tensor, covariance: torch.Tensor, n_sources: int) -> torch.Tensor:
        """Grid indices (B, P) by alternating projection."""

        def best(held: list[torch.Tensor]) -> torch.Tensor:
            return _strongest(response, _without(response, covariance, held) if held else covariance)

        return torch.stack(alternating_projection(best, n_sources, 1), 1)


def _strongest(response: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    return (response.conj() * (covariance @ response)).sum(1).real.argmax(1)


def _without(response: torch.Tensor, covariance: torch.Tensor, chosen: list[torch.Tensor]) -> torch.Tensor:
    """Covariance with the span of chosen responses projected out."""
    q = torch.linalg.qr(response[:, torch.stack(chosen, 1)].transpose(0, 1))[0]  # (B, N, P)
    eye = torch.eye(q.shape[1], dtype=q.dtype)
    away = eye - q @ q.mH
    return away @ covariance @ away
