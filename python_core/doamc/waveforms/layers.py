"""Layers on time: real channels (M, C, T), and complex streams (M, C, T) that turn with the phase of the waveform."""

import torch
from torch import nn
from torch.nn import functional


def convolution(inputs: int, outputs: int, reach: int = 1, dilation: int = 1, bias: bool = True) -> nn.Conv1d:
    """A convolution over time that keeps its length, zeros beyond the ends; single precision."""
    return nn.Conv1d(
        inputs, outputs, reach, padding=reach // 2 * dilation, dilation=dilation, bias=bias, dtype=torch.float32
    )


class ComplexConvolution(nn.Module):
    """Complex taps and no bias, so that D(s e^{j phi}) = D(s) e^{j phi}; streams are pairs of real channels."""

    def __init__(self, inputs: int, outputs: int, reach: int = 1, dilation: int = 1) -> None:
        super().__init__()
        scale = (2 * inputs * reach) ** -0.5
        self.taps = nn.Parameter(scale * torch.randn(2, outputs, inputs, reach, dtype=torch.float32))
        self.dilation = dilation

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """(M, 2 inputs, T) to (M, 2 outputs, T)."""
        a, b = self.taps[0], self.taps[1]
        kernel = torch.cat([torch.cat([a, -b], 1), torch.cat([b, a], 1)])
        padding = self.taps.shape[-1] // 2 * self.dilation
        return functional.conv1d(z, kernel, padding=padding, dilation=self.dilation)


class ChannelNorm(nn.Module):
    """Root mean square over channels, at each time, to 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1, dtype=torch.float32))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(M, C, T) to the same."""
        return h * torch.rsqrt(h.square().mean(1, keepdim=True) + 1e-6) * self.gain


def pairs(z: torch.Tensor) -> torch.Tensor:
    """Complex streams (M, C, T) as real channels (M, 2 C, T): all real parts, then all imaginary ones."""
    return torch.cat([z.real, z.imag], 1)


def times(z: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Product of streams, complex channels as `pairs`; one of the two may be a single stream."""
    (a, b), (c, d) = z.chunk(2, 1), w.chunk(2, 1)
    return torch.cat([a * c - b * d, a * d + b * c], 1)


def power_of(z: torch.Tensor) -> torch.Tensor:
    """|z|^2 of streams as `pairs`, (M, C, T)."""
    a, b = z.chunk(2, 1)
    return a * a + b * b


def squash(z: torch.Tensor, most: float = 4.0) -> torch.Tensor:
    """Streams as `pairs`: those of small modulus as they are, others kept below `most`."""
    scale = torch.rsqrt(1 + power_of(z) / most**2)
    return z * torch.cat([scale, scale], 1)
