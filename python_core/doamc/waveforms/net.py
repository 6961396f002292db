"""The score network over waveforms: mean and variance of s given x = s + sigma n, one emitter, unit power.

    D(x) = x / (1 + sigma^2) + sigma / sqrt(1 + sigma^2) F(x),   F = sum_i g_i(t) z_i(t)

so that F = 0 is the Wiener filter of a white Gaussian waveform and D goes to x as sigma goes to 0 ([Karras], with
unit data power). The z_i are streams that turn with the phase of x: opinions of `experts`, filtered x, and
convolutions of these. The gains g_i come from a real network that sees only what no turn of phase changes, so that
D(x e^{j phi}) = D(x) e^{j phi} holds to rounding, for any phi. It has no notion of an array.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn

from doamc.learning.layers import Linear
from doamc.waveforms.experts import COUNT, level_of, lines_of, opinions
from doamc.waveforms.layers import ChannelNorm, ComplexConvolution, convolution, pairs, power_of, squash, times
from doamc.waveforms.lines import find_line, unit
from doamc.waveforms.spectral import SpectralFilter

WINDOW = 256  #: most samples that the network sees at once
LEAST = 9.0  #: the logarithm of the variance lies between 1 - LEAST and 1
CANDIDATES = 2 * COUNT + 4
FEATURES = 2 * CANDIDATES + 2 * COUNT + 2 + 4 + 2
SCALARS = 6 + 2 * COUNT + 10


@dataclass(frozen=True)
class WaveformNetConfig:
    """Hyper-parameters: real channels, complex streams, blocks, entries of the context."""

    width: int = 48
    streams: int = 16
    blocks: int = 6
    context: int = 64

    def as_dict(self) -> dict[str, int]:
        """What a checkpoint records."""
        return asdict(self)


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
        self.filter = SpectralFilter(2)
        self.first, self.enter = convolution(FEATURES, config.width), ComplexConvolution(CANDIDATES, config.streams)
        self.scalars = nn.Sequential(Linear(SCALARS, config.context), nn.SiLU(), Linear(config.context, config.context))
        self.pooled = Linear(config.width, config.context)
        self.blocks = nn.ModuleList(Block(config, (1, 2, 4, 8, 2, 1, 4, 1)[i % 8]) for i in range(config.blocks))
        self.norm = ChannelNorm(config.width)
        self.gains = convolution(config.width, 2 * (config.streams + CANDIDATES) + 1)
        nn.init.zeros_(self.gains.weight)

    def forward(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """F (M, T) complex, and the logarithm of the variance of what it leaves (M, T), in units of the Wiener filter.

        x: (M, T) complex64, T at most `WINDOW`. sigma: (M, 1) > 0.
        """
        seen, candidates, reference, scalars = self._look(x, sigma)
        # half precision where it trains: processors with instructions for it go twice as fast
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.training):
            z, h = self.enter(candidates), self.first(seen)
            fixed = self.scalars(scalars)
            for block in self.blocks:
                context = nn.functional.silu(fixed + self.pooled(self.norm(h).mean(2)))
                h, z = block(h, z, reference, context)
            gains = self.gains(nn.functional.silu(self.norm(h))).float()
        log_variance = 1 - LEAST * torch.sigmoid(gains[:, -1] - 1.5)
        n = self.config.streams + CANDIDATES
        weights = torch.complex(gains[:, :n], gains[:, n : 2 * n])
        streams = [torch.complex(*v.float().chunk(2, 1)) for v in (z, candidates)]
        return (weights * torch.cat(streams, 1)).sum(1), log_variance

    def _look(self, x: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Channels (M, FEATURES, T), candidates (M, 2 CANDIDATES, T), phases (M, 2, T), scalars (M, SCALARS)."""
        t, variance = x.shape[1], sigma.square()
        skip, scale = 1 / (1 + variance), sigma * torch.rsqrt(1 + variance)
        level = level_of(x, variance)
        filtered, passed = self.filter(x, variance)
        clean = filtered[:, 0].detach() if self.training else filtered[:, 0]  # a cheaper step, which learns the same
        left = variance * passed[:, :1].clamp_min(1e-3)
        lines, inner = lines_of(x), lines_of(clean)
        tone = find_line(x)
        energy = clean.real.square() + clean.imag.square()
        clock = find_line(energy - energy.mean(1, keepdim=True), one_sided=True)
        rows = [*opinions(x, level, variance, lines), *opinions(clean, level, left, inner)]
        means = torch.stack([mean for mean, _ in rows] + [tone.wave], 1)
        means = torch.cat([means, filtered], 1)
        offsets = squash(pairs((means - skip[..., None] * x[:, None]) / scale[..., None]))
        received = x * skip.sqrt()
        candidates = torch.cat(
            [
                torch.cat([a, b[:, None]], 1)
                for a, b in zip(offsets.chunk(2, 1), (received.real, received.imag), strict=True)
            ],
            1,
        )
        evidence = torch.stack([value for _, value in rows], 1)
        reference = pairs((clean.conj() * torch.rsqrt(energy + 0.01))[:, None])
        step = [unit(clean * clean.conj().roll(k, 1)) for k in (1, 2)]
        ticks = clock.wave / energy.mean(1, keepdim=True).clamp_min(1e-6)
        seen = torch.cat(
            [
                times(candidates, reference),
                torch.asinh(evidence),
                torch.stack([received.abs(), clean.abs()], 1),
                pairs(torch.stack([*step, ticks], 1)),
            ],
            1,
        )
        rate = unit((clock.wave[:, 1:] * clock.wave[:, :-1].conj()).sum(1)) if t > 1 else torch.zeros_like(x[:, 0])
        strengths = torch.stack([line.strength for line in (*lines, *inner, tone, clock)], 1)
        scalars = torch.cat(
            [
                sigma.log() / 2,
                torch.full_like(sigma, math.log(t / 64)),
                level - 1,
                passed[:, :1].log() / 4,
                rate.real[:, None],
                rate.imag[:, None],
                torch.asinh(evidence.clamp(-8, 8).sum(2)) / 2,
                torch.asinh(t * strengths) / 4,
            ],
            1,
        )
        return seen, candidates, reference, scalars
