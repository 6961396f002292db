"""A prior over waveforms that is known exactly: QPSK, a symbol a sample, of known phase."""

import math

import torch


class QpskWaveforms:
    """Denoiser of s on (+-1 +-j) / sqrt(2): the mean is a product of two hyperbolic tangents."""

    def posterior(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of s given x = s + sigma n."""
        scaled = math.sqrt(2) * torch.view_as_real(x) / sigma.square()[..., None, None]
        mean = torch.view_as_complex(torch.tanh(scaled)) / math.sqrt(2)
        return mean, 1 - mean.abs().square()


def qpsk(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Waveforms of that kind."""
    quadrant = torch.randint(4, shape, generator=generator)
    return torch.polar(torch.ones(shape, dtype=torch.float64), math.pi * (0.25 + 0.5 * quadrant.double()))


def white(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Circular noise of unit power."""
    return torch.randn(*shape, dtype=torch.complex128, generator=generator)
