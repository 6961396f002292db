"""Angles within one turn, of floats, NumPy arrays and tensors alike: `%` takes the sign of the turn in all three."""

import math
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Angle = TypeVar("Angle", float, "NDArray[Any]", "torch.Tensor")


def wrap_rad(angle: Angle, low: float = -math.pi) -> Angle:
    """Angles in rad moved by whole turns into [low, low + 2 pi)."""
    return low + (angle - low) % (2 * math.pi)


def wrap_deg(angle: Angle, low: float = -180.0) -> Angle:
    """Angles in degrees moved by whole turns into [low, low + 360)."""
    return low + (angle - low) % 360.0
