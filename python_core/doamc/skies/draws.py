"""Random numbers of any shape in single precision."""

import torch


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Uniform between low and high."""
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float32)


def log_uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Uniform in the logarithm, between low and high > 0."""
    return low * (high / low) ** uniform(0, 1, shape, generator)


def normal(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Standard normal."""
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


def chance(probability: float, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """True with a probability, boolean."""
    return torch.rand(*shape, generator=generator) < probability


def sign(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """1 or -1, as likely."""
    return 1 - 2 * chance(0.5, shape, generator).float()
