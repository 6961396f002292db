"""Deviations that hold what they promise, on skies that the prior knows and on others.

A small network takes the `features` of a pixel, f, and of its sky, s, and answers the logarithm of the interval that
holds nine tenths, 1.645 deviations:

    log q = b + a^T (f, g) + v^T tanh(W (f, g) + c),      g = tanh(U s + d)

g says in a few numbers how strange the sky is to the prior and what could be seen of it. What is told is half of an
interval over 1.645: it is fitted to hold nine tenths, and is a root mean square error only where errors are Gaussian.
It is trained on skies of many families and coverages at random, half of the pixels above the noise
(`benchmarks/sky_deviations.py`); what holds on families it has not seen is told there, leaving each out in turn.
"""

from pathlib import Path

import torch
from torch import nn

from doamc.errors import CheckpointError
from doamc.files.tensor_files import read_tensors
from doamc.learning.checkpoint import shipped_weights
from doamc.skies.evidence import Evidence
from doamc.skies.features import PIXEL, SKY, pixel_features, sky_features

KIND = "sky-deviations"
HIDDEN, STRANGE = 32, 6  #: width, and numbers that tell of the sky, g
MOST = 4.0  #: deviations of a feature from its mean in training; beyond, it counts as this far
TOGETHER = 1 << 16  #: pixels of a sky that are worked on at once
NINE_TENTHS = 1.645  #: deviations that hold nine tenths of a normal law


class Deviations(nn.Module):
    """Features -> logarithm of half of the interval, in units of the level of noise, (B, ...)."""

    pixel_middle: torch.Tensor
    pixel_scale: torch.Tensor
    sky_middle: torch.Tensor
    sky_scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, features in (("pixel", PIXEL), ("sky", SKY)):
            self.register_buffer(f"{name}_middle", torch.zeros(len(features)))
            self.register_buffer(f"{name}_scale", torch.ones(len(features)))
        width = len(PIXEL) + STRANGE
        self.strange = nn.Linear(len(SKY), STRANGE)
        self.straight = nn.Linear(width, 1)
        self.first = nn.Linear(width, HIDDEN)
        self.last = nn.Linear(HIDDEN, 1, bias=False)
        self.float()

    @classmethod
    def open(cls, path: str | Path | None = None) -> "Deviations":
        """From a file, by default the shipped one. Raises CheckpointError."""
        path = path or shipped_weights(KIND)
        tensors = read_tensors(path, CheckpointError, f"{path}: expected weights of deviations, cannot read them")[0]
        found = cls()
        try:
            found.load_state_dict(tensors)
        except RuntimeError as error:
            raise CheckpointError(f"{path}: expected weights of deviations of skies, found others") from error
        return found.requires_grad_(False).eval()

    def forward(self, pixels: torch.Tensor, sky: torch.Tensor) -> torch.Tensor:
        """Features (B, ..., F) of pixels and (B, S) of skies; those beyond training count as the nearest of it."""
        f = ((pixels - self.pixel_middle) / self.pixel_scale).clamp(-MOST, MOST)
        s = ((sky - self.sky_middle) / self.sky_scale).clamp(-MOST, MOST)
        g = torch.tanh(self.strange(s)).unflatten(0, (-1, *[1] * (f.ndim - 2))).expand(*f.shape[:-1], -1)
        f = torch.cat([f, g], -1)
        return torch.as_tensor(self.straight(f) + self.last(torch.tanh(self.first(f))))[..., 0]

    def of(self, evidence: Evidence) -> torch.Tensor:
        """Standard deviations (B, H, W), units of flux."""
        sky, pixels = sky_features(evidence), pixel_features(evidence).flatten(1, 2)
        log_q = torch.cat([self(some, sky) for some in pixels.split(TOGETHER, 1)], 1)
        return (log_q.exp() * evidence.level[:, None] / NINE_TENTHS).view_as(evidence.image)
