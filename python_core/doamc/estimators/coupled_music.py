"""MUSIC on the manifolds C a(az) of several couplings at once: directions and coupling that go together.

Near-by sources, which rank reduction cannot tell apart where the family is rich, MUSIC can; and a coupling that is
merely of the right size is often enough to find the place.
"""

import torch

from doamc.arrays.steering import steering
from doamc.estimators.peaks import azimuth_grid, highest_peaks
from doamc.spec import ArraySpec


class CoupledMusic:
    """Responses of an array under J couplings on a grid of directions; both are the same for every observation."""

    def __init__(self, spec: ArraySpec, theta: torch.Tensor, step_deg: float) -> None:
        """theta: (J, K') parameters of the couplings. step_deg: of the grid."""
        self.spec, self.theta, self.grid = spec, theta, azimuth_grid(spec, step_deg)
        response = spec.family.matrix(theta) @ steering(spec.positions, self.grid).to(torch.complex128)
        self.response = response / response.abs().square().sum(1, keepdim=True).sqrt()  # (J, N, G)

    def directions(
        self,
        signal_subspace: torch.Tensor,  # shape: (B, N, P'), orthonormal
        n_sources: int,
    ) -> torch.Tensor:
        """Azimuths (B, J, P) in rad, ascending: where the signal subspace holds most of C_j a."""
        inside = (signal_subspace.mH[:, None] @ self.response).abs().square().sum(2)  # (B, J, G)
        peaks = highest_peaks(inside.flatten(0, 1), self.grid, n_sources, self.spec.full_circle)
        return peaks.unflatten(0, inside.shape[:2])
