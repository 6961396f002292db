"""MUSIC on the manifolds C a(az) of several couplings at once: directions and coupling that go together.

Near-by sources, which rank reduction cannot tell apart where the family is rich, MUSIC can; and a coupling that is
merely of the right size is often enough to find the place.
"""

import torch

from doamc.arrays.steering import steering
from doamc.estimators.peaks import azimuth_grid, highest_peaks
from doamc.estimators.sphere import SphereGrid
from doamc.spec import ArraySpec

MOST_ENTRIES = 1 << 23  #: of responses on a grid of both angles


class CoupledMusic:
    """Responses of an array under J couplings on a grid of directions; both are the same for every observation."""

    def __init__(self, spec: ArraySpec, theta: torch.Tensor, step_deg: float) -> None:
        """theta: (J, K') parameters of the couplings. step_deg: of the grid of azimuths."""
        self.spec, self.theta = spec, theta
        self.sphere = SphereGrid(spec) if spec.elevated else None
        at = (azimuth_grid(spec, step_deg),) if self.sphere is None else (self.sphere.azimuth, self.sphere.elevation)
        self.grid = at[0]
        if self.sphere is not None:  # fewer couplings where there are many directions
            theta = self.theta = theta[: max(1, MOST_ENTRIES // (len(self.grid) * spec.n_elements))]
        if spec.directional:
            response = spec.family.response(theta, spec.positions, *(v.expand(len(theta), -1) for v in at))
        else:
            response = spec.family.matrix(theta) @ steering(spec.positions, *at).to(torch.complex128)
        self.response = response / response.abs().square().sum(1, keepdim=True).sqrt()  # (J, N, G)

    def directions(
        self,
        signal_subspace: torch.Tensor,  # shape: (B, N, P'), orthonormal
        n_sources: int,
    ) -> torch.Tensor:
        """Azimuths (B, J, P) in rad, ascending: where the signal subspace holds most of C_j a."""
        inside = self._inside(signal_subspace)
        peaks = highest_peaks(inside.flatten(0, 1), self.grid, n_sources, self.spec.full_circle)
        return peaks.unflatten(0, inside.shape[:2])

    def on_sphere(self, signal_subspace: torch.Tensor, n_sources: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Azimuths, ascending, and elevations (B, J, P) in rad of an array with elevations, points of its grid."""
        sphere, inside = self.sphere or SphereGrid(self.spec), self._inside(signal_subspace)
        places = sphere.lowest(-inside.flatten(0, 1), n_sources).unflatten(0, inside.shape[:2])
        azimuth, order = sphere.azimuth[places].sort(2)
        return azimuth, sphere.elevation[places].gather(2, order)

    def _inside(self, signal_subspace: torch.Tensor) -> torch.Tensor:
        """Share (B, J, G) of C_j a in the signal subspace."""
        return (signal_subspace.mH[:, None] @ self.response).abs().square().sum(2)
