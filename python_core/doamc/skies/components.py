"""Skies as sums of elliptical Gaussians, and their images."""

import math
from dataclasses import dataclass, fields

import torch

from doamc.skies.draws import uniform


@dataclass(frozen=True)
class Components:
    """Elliptical Gaussians of B skies, (B, K) each; an amplitude of 0 is none.

    x, y: from the middle of the image, in pixels, along the second axis and the first; major, minor: standard
    deviations in pixels; angle_rad: of the first of the two from x.
    """

    amplitude: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    major: torch.Tensor
    minor: torch.Tensor
    angle_rad: torch.Tensor

    @classmethod
    def round(cls, amplitude: torch.Tensor, x: torch.Tensor, y: torch.Tensor, width: torch.Tensor) -> "Components":
        """Circular ones; widths as the two standard deviations."""
        return cls(amplitude, x, y, width, width, torch.zeros_like(x))

    @classmethod
    def together(cls, parts: list["Components"]) -> "Components":
        """All of them in the same skies."""
        return cls(*(torch.cat([getattr(p, f.name) for p in parts], 1) for f in fields(cls)))

    def image(self, size: int) -> torch.Tensor:
        """Images (B, size, size)."""
        b, k = self.amplitude.nonzero(as_tuple=True)
        at = torch.arange(size, dtype=torch.float32) - size / 2
        cos, sin = self.angle_rad[b, k].cos(), self.angle_rad[b, k].sin()
        p, q = -0.5 / self.major[b, k].square(), -0.5 / self.minor[b, k].square()
        xx, yy, xy = p * cos**2 + q * sin**2, p * sin**2 + q * cos**2, 2 * (p - q) * sin * cos
        dx, dy = at - self.x[b, k][:, None], at - self.y[b, k][:, None]
        one = torch.ones_like(dx)
        # the exponent xx dx^2 + yy dy^2 + xy dx dy as one product of matrices
        rows = torch.stack([one, yy[:, None] * dy.square(), xy[:, None] * dy], 2)
        columns = torch.stack([xx[:, None] * dx.square(), one, dx], 1)
        each = (rows @ columns).exp_() * self.amplitude[b, k][:, None, None]
        return torch.zeros(len(self.amplitude), size, size).index_add_(0, b, each)


def any_angle(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Uniform over the circle, rad."""
    return uniform(0, 2 * math.pi, shape, generator)
