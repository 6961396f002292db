"""A coupling family as it is heard through a linear receiver: v(az) becomes G v(az).

What is reported of it, C and its deviations, stays that of the antennas. G whitens noise that is not white, or leaves
out a channel, so that the likelihood of white noise serves (`estimators.remedies`).
"""

from typing import Any, cast

import torch

from doamc.coupling.family import CouplingFamily


class ReceivedFamily:
    """A `CouplingFamily` whose responses are G times those of another, which it is in all else.

    Raises: ValueError for a Hermitian family, whose second patterns are adjoints of the first.
    """

    def __init__(
        self,
        family: CouplingFamily,
        matrix: torch.Tensor,  # shape: (N, N), G
    ) -> None:
        if family.hermitian:
            raise ValueError("expected a family without adjoint patterns, found a Hermitian one")
        self.own, self.heard_by = family, matrix.to(torch.complex128)
        self.mean = self.heard_by @ family.mean.to(torch.complex128)
        self.patterns = self.heard_by @ family.patterns.to(torch.complex128)
        self.linear_basis = self.heard_by @ family.linear_basis.to(torch.complex128)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def response(
        self,
        theta: torch.Tensor,  # shape: (..., K)
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
        elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
    ) -> torch.Tensor:
        """G v(az, el) of each source, (..., N, P)."""
        return self.heard_by.to(theta.device) @ self.own.response(theta, positions, azimuth, elevation)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean and patterns as they are heard."""
        mean, patterns, projection = self.own.moments()
        return self.heard_by @ mean, self.heard_by @ patterns, projection

    @property
    def kinds(self) -> list[tuple[float, CouplingFamily, torch.Tensor]]:
        """The kinds of the other family, heard alike."""
        return [(share, received(family, self.heard_by), scale) for share, family, scale in self.own.kinds]


def received(
    family: CouplingFamily,
    matrix: torch.Tensor,  # shape: (N, N)
) -> CouplingFamily:
    """The family as heard through G; raises ValueError where `ReceivedFamily` does."""
    return cast(CouplingFamily, ReceivedFamily(family, matrix))
