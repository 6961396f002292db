"""Whether an array is a line, a plane or neither: what it cannot tell apart follows from it.

A line hears the angle from itself alone, and a plane hears a direction and its mirror image in it alike.
"""

from dataclasses import dataclass

import torch

STRAIGHT = 1e-3  #: of an array's size, how far elements of a line or of a plane may stand beside it


@dataclass(frozen=True)
class Extent:
    """dimensions: 0 for one place, 1 for a line, 2 for a plane, 3 for neither.

    axes: unit vectors (3, 3) as rows, along which it extends most, less and least: those from `dimensions` on are
    across it.
    """

    dimensions: int
    axes: torch.Tensor


def extent_of(
    positions: torch.Tensor,  # shape: (N, 3), in any unit
) -> Extent:
    """Dimensions and axes of elements, by the singular values of their positions about their mean."""
    centred = positions - positions.mean(0)
    _, size, axes = torch.linalg.svd(centred)
    return Extent(int((size > STRAIGHT * centred.norm()).sum()), axes)


def is_flat(
    positions: torch.Tensor,  # shape: (N, 3), in any unit
) -> bool:
    """Whether elements lie in the x-y plane, or one beside it: they hear from above and from below alike."""
    centred = positions - positions.mean(0)
    return float(centred[:, 2].norm()) < STRAIGHT * float(centred.norm())
