"""The score network over waveforms: mean and variance of s given x = s + sigma n, one emitter, unit power.

    D(x) = x / (1 + sigma^2) + sigma / sqrt(1 + sigma^2) F(x),   F = sum_i g_i(t) z_i(t)

so that F = 0 is the Wiener filter of a white Gaussian waveform and D goes to x as sigma goes to 0 ([Karras], with
unit data power). The z_i are streams that turn with the phase of x: opinions of `experts`, filtered x, and
convolutions of these. The gains g_i come from a real network that sees only what no turn of phase changes, so that
D(x e^{j phi}) = D(x) e^{j phi} holds to rounding, for any phi. It has no notion of an array.
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from doamc.learning.layers import Linear
from doamc.waveforms.layers import ChannelNorm, ComplexConvolution, convolution, power_of, squash, times
from doamc.waveforms.look import CANDIDATES, FEATURES, SCALARS, Look

WINDOW = 256  #: most samples that the network sees at once
LEAST = 9.0  #: the logarithm of the variance lies between 1 - LEAST and 1


@dataclass(frozen=True)
class WaveformNetConfig:
    """Hyper-parameters: real channels, complex streams, blocks, entries of the context."""

    width: int = 40
    streams: int = 12
    blocks: int = 6
    context: int = 64

    def as_dict(self) -> dict[str, int]:
        """What a checkpoint records."""
        return asdict(self)


def dilation_of(block: int) -> int:
    """Samples between the taps of a block."""
    return (1, 2, 4, 8, 2, 1, 4, 1)[block % 8]


class Block(nn.Module):
    """Convolves the streams, looks at them, and changes channels and streams by what it sees."""

    def __init__(self, config: WaveformNetConfig, dilation: int) -> None:
        super().__init__()
        width, streams = config.width, config.streams
        self.streams = ComplexConvolution(streams, streams, 5, dilation)
        self.norm = ChannelNorm(width)
        self.film = Linear(config.context, 2 * width)
        self.look = convolution(3 * streams, 2 * width)
        self.time = convolution(width, 2 * width, 3, dilation, bias=False)
        self.out = convolution(width, width + 2 * streams)
        nn.init.zeros_(self.out.weight)

    def forward(
        self, h: torch.Tensor, z: torch.Tensor, reference: torch.Tensor, context: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Channels (M, W, T) and streams (M, 2 C, T) after the block.

        reference: (M, 2, T), conjugate phases to look from. context: (M, config.context).
        """
        gain, shift = self.film(context)[..., None].chunk(2, 1)
        moved = self.streams(z)
        seen = self.look(torch.cat([times(moved, reference), (power_of(moved) + 1e-6).sqrt()], 1))
        a, b = (self.time(self.norm(h) * (1 + gain) + shift) + seen).chunk(2, 1)
        change, turn = self.out(nn.functional.silu(a) * b).split([h.shape[1], z.shape[1]], 1)
        return h + change, squash(z + moved + times(moved, turn), 8.0)


class WaveformNet(nn.Module):
    """See the top of this file."""

    def __init__(self, config: WaveformNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or WaveformNetConfig()
        self.look = Look()
        self.first, self.enter = convolution(FEATURES, config.width), ComplexConvolution(CANDIDATES, config.streams)
        self.scalars = nn.Sequential(Linear(SCALARS, config.context), nn.SiLU(), Linear(config.context, config.context))
        self.pooled = Linear(config.width, config.context)
        self.blocks = nn.ModuleList(Block(config, dilation_of(i)) for i in range(config.blocks))
        self.norm = ChannelNorm(config.width)
        self.gains = convolution(config.width, 2 * (config.streams + CANDIDATES) + 1)
        nn.init.zeros_(self.gains.weight)

    def forward(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """F (M, T) complex, and the logarithm of the variance of what it leaves (M, T), in units of the Wiener filter.

        x: (M, T) complex64, T at most `WINDOW`. sigma: (M, 1) > 0.
        """
        seen, candidates, reference, scalars = self.look(x, sigma)
        z, h = self.enter(candidates), self.first(seen)
        fixed = self.scalars(scalars)
        for block in self.blocks:
            context = nn.functional.silu(fixed + self.pooled(self.norm(h).mean(2)))
            h, z = block(h, z, reference, context)
        gains = self.gains(nn.functional.silu(self.norm(h)))
        log_variance = 1 - LEAST * torch.sigmoid(gains[:, -1] - 1.5)
        n = self.config.streams + CANDIDATES
        weights = torch.complex(gains[:, :n], gains[:, n : 2 * n])
        streams = [torch.complex(*v.chunk(2, 1)) for v in (z, candidates)]
        return (weights * torch.cat(streams, 1)).sum(1), log_variance
