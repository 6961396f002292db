"""Layers of networks in single precision, whatever torch's default is: weights are stored and used in it."""

import torch
from torch import nn


class Linear(nn.Linear):
    """A linear layer in single precision."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, dtype=torch.float32)


class LayerNorm(nn.LayerNorm):
    """A layer normalisation in single precision."""

    def __init__(self, width: int) -> None:
        super().__init__(width, dtype=torch.float32)
