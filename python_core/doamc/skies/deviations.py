"""Deviations that hold what they promise, on skies that the prior knows and on others.

A small network takes the `Evidence` of a pixel, and answers the logarithm of the interval that holds nine tenths, 1.645
deviations:

    log q = b + a^T f + v^T tanh(W f + c),      v >= 0, and a, W >= 0 for features of disagreement

so that more disagreement never makes an interval narrower, however far from the skies of training. It is trained by
pinball loss on skies of many families and coverages at random, half of the pixels above the noise
(`benchmarks/sky_deviations.py`); what holds on families it has not seen is told there, leaving each out in turn.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from doamc.errors import CheckpointError
from doamc.files.tensor_files import read_tensors
from doamc.learning.checkpoint import shipped_weights
from doamc.skies.evidence import DISAGREEMENT, FEATURES, Evidence

KIND = "sky-deviations"
HIDDEN = 24
MOST = 4.0  #: deviations of a feature from its mean in training; beyond, it counts as this far
NINE_TENTHS = 1.645  #: deviations that hold nine tenths of a normal law


class Deviations(nn.Module):
    """Features (..., F) -> logarithm of half of the interval, in units of the level of noise, (...)."""

    middle: torch.Tensor
    scale: torch.Tensor
    disagreement: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(len(FEATURES)))
        self.register_buffer("scale", torch.ones(len(FEATURES)))
        self.register_buffer("disagreement", torch.tensor([n in DISAGREEMENT for n in FEATURES]), persistent=False)
        self.straight = nn.Parameter(torch.full((len(FEATURES),), 0.1))
        self.first = nn.Linear(len(FEATURES), HIDDEN)
        self.last = nn.Linear(HIDDEN, 1)
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

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """See the class; features beyond those of training count as the nearest of them."""
        f = ((features - self.middle) / self.scale).clamp(-MOST, MOST)
        bent = torch.tanh(functional.linear(f, self._signed(self.first.weight), self.first.bias))
        return f @ self._signed(self.straight) + functional.linear(bent, self.last.weight.abs(), self.last.bias)[..., 0]

    def _signed(self, weights: torch.Tensor) -> torch.Tensor:
        """Weights, those of disagreement without their sign."""
        return torch.where(self.disagreement, weights.abs(), weights)

    def of(self, evidence: Evidence) -> torch.Tensor:
        """Standard deviations (B, H, W), units of flux."""
        return self(evidence.features()).exp() * evidence.level[:, None, None] / NINE_TENTHS
