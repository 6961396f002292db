"""The score network: an encoder that reads a batch's features once, and a small head that runs every step.

The head predicts v = alpha eps - sigma x_0 (Salimans and Ho 2022, arXiv:2202.00512), which is well conditioned at
both ends of the schedule; x_0 = alpha x_t - sigma v is the denoiser that the samplers take.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from doamc.learning.layers import LayerNorm, Linear

TIME_FREQUENCIES = 8


@dataclass(frozen=True)
class NetConfig:
    """Sizes: features F, state D, encoder width, code width, head width and number of residual blocks."""

    features: int
    state: int
    encoder: int = 512
    code: int = 256
    width: int = 192
    blocks: int = 3

    def table(self) -> dict[str, Any]:
        """For a checkpoint's header."""
        return asdict(self)


def time_features(log_snr: torch.Tensor) -> torch.Tensor:
    """Sines and cosines of lambda / 20, (..., 2 * TIME_FREQUENCIES + 1)."""
    x = log_snr[..., None] / 20
    angle = x * (torch.arange(1, TIME_FREQUENCIES + 1, device=x.device, dtype=x.dtype)) * 1.5
    return torch.cat([x, angle.sin(), angle.cos()], -1)


class ScoreNet(nn.Module):
    """v(z_t, lambda_t | features). About 1.2 M weights for the shipped arrays."""

    shift: torch.Tensor
    gain: torch.Tensor

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = c = config
        self.register_buffer("shift", torch.zeros(c.features, dtype=torch.float32))
        self.register_buffer("gain", torch.ones(c.features, dtype=torch.float32))
        self.first = Linear(c.features, c.encoder)
        self.middle = nn.ModuleList(Linear(c.encoder, c.encoder) for _ in range(2))
        self.norms = nn.ModuleList(LayerNorm(c.encoder) for _ in range(2))
        self.code = Linear(c.encoder, c.code)
        self.from_code = Linear(c.code, (2 * c.blocks + 1) * c.width)
        self.from_time = nn.Sequential(
            Linear(2 * TIME_FREQUENCIES + 1, 64), nn.SiLU(), Linear(64, (c.blocks + 1) * c.width)
        )
        self.inward = Linear(c.state, c.width)
        self.up = nn.ModuleList(Linear(c.width, c.width) for _ in range(c.blocks))
        self.down = nn.ModuleList(Linear(c.width, c.width) for _ in range(c.blocks))
        self.outward = Linear(c.width, c.state)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def encode(self, features: torch.Tensor) -> torch.Tensor:
        """Modulation (B, M) of the head by the features (B, F): computed once a batch."""
        h = nn.functional.silu(self.first((features - self.shift) * self.gain))
        for layer, norm in zip(self.middle, self.norms, strict=True):
            h = h + nn.functional.silu(layer(norm(h)))
        return self.from_code(nn.functional.silu(self.code(h)))

    def modulation(self, code: torch.Tensor, clock: torch.Tensor) -> list[torch.Tensor]:
        """Shifts and gains of the head for codes (B, 1, M) and clocks (1, S, M'): what `head` takes.

        [inward shift, then shift and gain of each block], each (B, S, W).
        """
        c, t = code.split(self.config.width, -1), clock.split(self.config.width, -1)
        out = [c[0] + t[0]]
        for i in range(self.config.blocks):
            out += [c[2 * i + 1].expand_as(out[0]), (1 + c[2 * i + 2]) * (1 + t[i + 1])]
        return out

    def head(self, z: torch.Tensor, modulation: list[torch.Tensor]) -> torch.Tensor:
        """v (B, S, D) of states z (B, S, D)."""
        linear, silu = nn.functional.linear, nn.functional.silu
        h = linear(z, self.inward.weight, self.inward.bias) + modulation[0]
        for i, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            inner = torch.addcmul(modulation[2 * i + 1], up(h), modulation[2 * i + 2])
            h = h + down(silu(inner))
        return linear(silu(h), self.outward.weight, self.outward.bias)

    def clock(self, log_snr: torch.Tensor) -> torch.Tensor:
        """Modulation of the head by the noise level lambda: (...) -> (..., M')."""
        return self.from_time(time_features(log_snr))

    def forward(self, z: torch.Tensor, log_snr: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """v (B, S, D) of states z (B, S, D) at lambda (1, S) given features (B, F)."""
        c = self.encode(features)[:, None].split(self.config.width, -1)
        t = self.clock(log_snr).split(self.config.width, -1)
        h = self.inward(z) + t[0] + c[0]
        for i, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            inner = torch.addcmul(c[2 * i + 1], up(h) * (1 + t[i + 1]), 1 + c[2 * i + 2])
            h = h + down(nn.functional.silu(inner))
        return self.outward(nn.functional.silu(h))
