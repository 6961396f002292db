"""Random numbers in single precision, and turns of phase."""

import math
from collections.abc import Sequence
from typing import TypeVar

import torch

T = TypeVar("T")


def uniform(low: float, high: float, count: int, generator: torch.Generator) -> torch.Tensor:
    """Uniform numbers, (M, 1)."""
    return low + (high - low) * torch.rand(count, 1, generator=generator, dtype=torch.float32)


def noise(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Circular complex Gaussian numbers of unit power."""
    return torch.randn(*shape, generator=generator, dtype=torch.complex64)


def choice(options: Sequence[T], generator: torch.Generator) -> T:
    """One of several, all as likely."""
    return options[int(torch.randint(len(options), (1,), generator=generator))]


def turn(cycles: torch.Tensor) -> torch.Tensor:
    """exp(2 pi j cycles)."""
    angle = 2 * math.pi * cycles.float()
    return torch.polar(torch.ones_like(angle), angle)
