"""Layers of the network on images (B, C, H, W), in single precision."""

import torch
from torch import nn

from doamc.learning.layers import Linear


def convolution(inputs: int, outputs: int, reach: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution, zeros beyond the border."""
    padding = reach // 2 if stride == 1 else 0
    return nn.Conv2d(inputs, outputs, reach, stride=stride, padding=padding, dtype=torch.float32)


class PixelNorm(nn.LayerNorm):
    """Mean over channels to 0 and deviation to 1, at each pixel; one pass over memory where channels lie last."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-4, dtype=torch.float32)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return super().forward(h.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Two convolutions beside a straight path; the level of noise shifts what lies between them."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm = PixelNorm(width)
        self.first, self.second = convolution(width, width), convolution(width, width)
        self.shift = Linear(context, width)
        nn.init.zeros_(self.second.weight)

    def forward(self, h: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """The same shape; context: (B, C')."""
        inner = self.first(nn.functional.silu(self.norm(h)))
        return h + self.second(nn.functional.silu(inner + self.shift(context)[:, :, None, None]))
