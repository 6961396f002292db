"""Starting scenes for coherent sources: alternating projection under many couplings of the prior."""

import math

import torch

from doamc.estimators.alternating_projection import alternating_projection
from doamc.estimators.sphere import SphereGrid
from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.source_correlation import factor_angles
from doamc.spec import ArraySpec

CYCLES = 3  #: turns in which every source is placed again


class AlternatingProjection:
    """Starts for one array and number of sources; the couplings tried are drawn once, from the seed."""

    def __init__(self, spec: ArraySpec, n_sources: int, grid: torch.Tensor | SphereGrid, draws: int, seed: int) -> None:
        """grid: azimuths (G,), or directions on the sphere for an array with elevations."""
        self.sphere = grid if isinstance(grid, SphereGrid) else None
        grid = grid.azimuth if isinstance(grid, SphereGrid) else grid
        self.n_sources, self.grid = n_sources, grid
        self.theta = spec.family.draw((draws,), torch.Generator().manual_seed(seed))  # (J, K')
        points = grid.cpu().expand(draws, -1)
        if self.sphere is not None:
            at = points, self.sphere.elevation.expand(draws, -1)
            self.manifold = spec.family.response(self.theta, spec.positions, *at).to(grid.device)
            self.apart = self.sphere.unit @ self.sphere.unit.T < math.cos(math.radians(spec.min_separation_deg))
            return
        self.manifold = spec.family.response(self.theta, spec.positions, points).to(grid.device)  # (J, N, G)
        apart = (grid[:, None] - grid).abs()
        apart = torch.minimum(apart, 2 * math.pi - apart) if spec.full_circle else apart
        self.apart = apart > math.radians(spec.min_separation_deg)

    def __call__(self, coordinates: Coordinates, covariance: torch.Tensor) -> torch.Tensor:
        """Starts (B, d, J), one for each coupling tried."""
        none = torch.zeros(len(covariance), len(self.theta), 0, dtype=torch.long, device=covariance.device)

        def best(held: list[torch.Tensor]) -> torch.Tensor:
            return self._place(covariance, torch.stack(held, 2) if held else none)

        places = torch.stack(alternating_projection(best, self.n_sources, CYCLES), 2)
        return self._scenes(coordinates, covariance, places.sort(2)[0])

    def _place(self, covariance: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        """Grid points (B, J) of the source that adds most power to those held (B, J, Q)."""
        g = self.manifold.expand(len(covariance), -1, -1, -1)
        own = self._columns(held)
        if held.shape[2]:
            q = torch.linalg.qr(own)[0]
            g = g - q @ (q.mH @ g)
        power = (g.conj() * (covariance[:, None] @ g)).real.sum(2) / g.abs().square().sum(2).clamp_min(1e-9)
        free = self.apart[held].all(2)
        return torch.where(free, power, -math.inf).argmax(2)

    def _columns(self, places: torch.Tensor) -> torch.Tensor:
        """Responses (B, J, N, Q) at grid points (B, J, Q)."""
        b, _, q = places.shape
        n = self.manifold.shape[1]
        return self.manifold.expand(b, -1, -1, -1).gather(3, places[:, :, None].expand(-1, -1, n, q))

    def _scenes(self, coordinates: Coordinates, covariance: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        n, p = covariance.shape[-1], self.n_sources
        v = self._columns(places)
        pinv = torch.linalg.pinv(v)
        eye = torch.eye(n, dtype=v.dtype, device=v.device)
        noise = ((eye - v @ pinv) @ covariance[:, None]).diagonal(dim1=2, dim2=3).real.sum(2) / (n - p)
        noise = noise.clamp_min(1e-9 * covariance.diagonal(dim1=1, dim2=2).real.mean(1)[:, None])
        s = pinv @ (covariance[:, None] - noise[..., None, None] * eye) @ pinv.mH  # (B, J, P, P)
        power = s.diagonal(dim1=2, dim2=3).real.clamp_min(1e-9)
        size = power.rsqrt()
        correlation = tuple(v.transpose(1, 2) for v in factor_angles(s * size[..., None] * size[..., None, :]))
        theta = self.theta.to(covariance.device).expand(len(covariance), -1, -1)
        flat, wrapping = (v.transpose(1, 2) for v in coordinates.spec.family.coordinates(theta))
        power_db, noise_db = 10 * power.log10().transpose(1, 2), 10 * noise.log10()[:, None]
        azimuth = self.grid[places].transpose(1, 2)
        elevation = None if self.sphere is None else self.sphere.elevation[places].transpose(1, 2)
        x = coordinates.join(power_db, flat, noise_db, azimuth, wrapping, (correlation[0], correlation[1]), elevation)
        return coordinates.clip(x)
