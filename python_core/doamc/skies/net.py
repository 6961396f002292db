"""The network of the prior: mean and variance of a sky x given z = x + sigma n, white noise of any level.

    D(z) = c z + sqrt(v) F(z),    c = S^2 / (S^2 + sigma^2),    v = S^2 sigma^2 / (S^2 + sigma^2)

so that F = 0 is the Wiener filter of white skies of power S^2 ([Karras]). It sees z in units of its own level, z in
units of the noise, and what blurs of z leave over in units of the noise, since at little noise this is all that is
to be cleaned. All layers are convolutions, beyond the border are zeros: an image of any size will do.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional

from doamc.learning.layers import Linear
from doamc.skies.layers import Block, convolution

SCALE = 0.1  #: S, root mean square of a sky of peak 1
SIGMA = (1e-4, 20.0)  #: levels of noise that it is trained at
LEAST = 12.0  #: the logarithm of the variance lies between 1 - LEAST and 1
FEATURES, LEVELS, WAVES = 4, 3, 16


@dataclass(frozen=True)
class SkyNetConfig:
    """Channels at half of the resolution (twice as many at each further halving), blocks a level, context."""

    width: int = 48
    blocks: int = 2
    context: int = 96

    def as_dict(self) -> dict[str, int]:
        """What a checkpoint records."""
        return asdict(self)


class SkyNet(nn.Module):
    """See the top of this file."""

    blurs: torch.Tensor

    def __init__(self, config: SkyNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SkyNetConfig()
        widths = [config.width * 2**i for i in range(LEVELS)]

        def blocks(width: int) -> nn.ModuleList:
            return nn.ModuleList(Block(width, config.context) for _ in range(config.blocks))

        self.register_buffer("blurs", _blurs(), persistent=False)
        self.noise = nn.Sequential(Linear(2 * WAVES, config.context), nn.SiLU(), Linear(config.context, config.context))
        self.enter = convolution(4 * FEATURES, config.width)
        self.down = nn.ModuleList(blocks(w) for w in widths)
        self.split = nn.ModuleList(convolution(w, 2 * w, 2, 2) for w in widths[:-1])
        self.merge = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2, dtype=torch.float32) for w in widths[:-1])
        self.up = nn.ModuleList(blocks(w) for w in widths[:-1])
        self.leave = convolution(config.width, 8)
        nn.init.zeros_(self.leave.weight)
        # several times as fast on a CPU
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: torch.Tensor, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """F, and the logarithm of the variance of what it leaves in units of v: (B, H, W) each.

        z: (B, H, W) single precision, any H and W. sigma: (B,) within `SIGMA`.
        """
        height, width = z.shape[1:]
        step = 2**LEVELS
        z = functional.pad(z, (0, -width % step, 0, -height % step), "reflect")  # noise goes on there
        context = functional.silu(self.noise(_waves(sigma)))
        h = self.enter(functional.pixel_unshuffle(self.seen(z, sigma), 2).contiguous(memory_format=torch.channels_last))
        passed = []
        for i, blocks in enumerate(self.down):
            h = _through(blocks, h, context)
            if i < len(self.split):
                passed.append(h)
                h = self.split[i](h)
        for i in reversed(range(len(self.up))):
            h = self.merge[i](h) + passed[i]
            h = _through(self.up[i], h, context)
        out = functional.pixel_shuffle(self.leave(h).float(), 2)[:, :, :height, :width]
        return out[:, 0], 1 - LEAST * torch.sigmoid(out[:, 1] - 1.5)

    def seen(self, z: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Features (B, FEATURES, H, W) of z, of about unit size in noise alone."""
        sigma = sigma[:, None, None, None]
        z = z[:, None]
        over = functional.conv2d(z, self.blurs, padding=self.blurs.shape[-1] // 2)
        return torch.cat([z / (SCALE**2 + sigma**2).sqrt(), (torch.cat([z, over], 1) / sigma).asinh()], 1)


def parts(sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """c and sqrt(v) of the top of this file, shaped like sigma."""
    total = (SCALE**2 + sigma**2).sqrt()
    return (SCALE / total) ** 2, SCALE * sigma / total


def _through(blocks: nn.Module, h: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    for block in blocks.children():
        h = block(h, context)
    return h


def _waves(sigma: torch.Tensor) -> torch.Tensor:
    low, high = (math.log(v) for v in SIGMA)
    phase = (sigma.log()[:, None] - low) / (high - low) * math.pi * torch.arange(1, WAVES + 1, device=sigma.device)
    return torch.cat([phase.cos(), phase.sin()], 1)


def _blurs() -> torch.Tensor:
    """What a narrow blur leaves over, and what a wide one leaves of the narrow one: (2, 1, 7, 7), of unit gain."""

    def binomial(n: int) -> torch.Tensor:
        taps = torch.tensor([math.comb(n, k) for k in range(n + 1)], dtype=torch.float32) / 2**n
        out = torch.zeros(7, 7)
        at = slice(3 - n // 2, 4 + n // 2)
        out[at, at] = torch.outer(taps, taps)
        return out

    kernels = torch.stack([binomial(0) - binomial(2), binomial(2) - binomial(6)])[:, None]
    return kernels / kernels.square().sum((2, 3), keepdim=True).sqrt()
