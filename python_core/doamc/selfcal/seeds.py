"""Couplings and directions that a batch alone suggests, by the array's own family: where an unknown coupling starts.

The belief is normal around the mean of the prior, whereas a family's coefficients may have any phase: the mean is then
a coupling that the array never has. Rank reduction (RARE) needs no start.
"""

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.errors import EstimatorError
from doamc.estimators.rare import Rare
from doamc.selfcal.observation import Observation
from doamc.spec import ArraySpec

NEARNESS = 0.01  #: how well an entry of the coupling is matched, against the start prior


class Seeds:
    """Proposals for one array; none where its family is drawn from antennas (narrow) or too rich for rank reduction."""

    def __init__(self, spec: ArraySpec, start: DrawnFamily) -> None:
        self.spec, self.start = spec, start
        self.rare = None if spec.family.normal else Rare(spec, 0.5)

    def __call__(self, seen: Observation) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Pairs of azimuths (P,) in rad and whitened parameters (K,) of the start prior."""
        if self.rare is None:
            return []
        try:
            length = max(int(seen.snapshots), 1)
            azimuth, theta = self.rare.candidates(seen.covariance, seen.n_sources, length, 2)
        except EstimatorError:
            return []
        return [(a, self.near(self.spec.family.matrix(t))) for a, t in zip(azimuth[0], theta[0], strict=True)]

    def near(self, coupling: torch.Tensor) -> torch.Tensor:
        """Parameters (K,) whose coupling is nearest to (N, N), weighed against the start prior."""
        e = torch.view_as_real(self.start.basis.contiguous()).flatten(1) / NEARNESS
        r = torch.view_as_real((coupling - self.start.centre).contiguous()).flatten() / NEARNESS
        return torch.linalg.solve(e @ e.T + torch.eye(len(e), dtype=e.dtype), e @ r)
