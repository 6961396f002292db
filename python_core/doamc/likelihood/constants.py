"""What the likelihood needs of an array and its coordinates whatever was received: made once, and kept with these."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.model import Model, make_model

RIDGE = 0.1  #: share of the prior's precision that is added to the information in a mode search: it may be singular


@dataclass(frozen=True)
class Constants:
    """Constants on one device.

    eye: (N, N). mean: (N, J N), response to all coefficients zero, the identity or the mean of a drawn family.
    patterns: (K' N, J N). n_blocks: J. starts_uncoupled: whether all coefficients zero mean no coupling, so that a
    product can be saved. noise_last: order of the coordinates of which the noise is appended. planar: whether elements
    lie off a line along y. wave: (N, 2), or (N, 1) along y, wave numbers; (N, 3) where the array has elevations.
    """

    coordinates: Coordinates
    eye: torch.Tensor
    mean: torch.Tensor
    patterns: torch.Tensor
    n_blocks: int
    starts_uncoupled: bool
    noise_last: torch.Tensor
    planar: bool
    wave: torch.Tensor

    @cached_property
    def model(self) -> Model:
        """The same for the compiled loops."""
        return make_model(self.coordinates, self.mean, self.patterns)

    @cached_property
    def ridge(self) -> torch.Tensor:
        """What a mode search adds to the diagonal of the information, (d,)."""
        return RIDGE * self.prior_precision

    @cached_property
    def prior_precision(self) -> torch.Tensor:
        """12 / width^2 of the prior's box, (d,): keeps proposals inside a thin prior and matrices invertible."""
        width = (self.coordinates.high - self.coordinates.low).to(self.eye.device)
        return 12 / width.square()

    @cached_property
    def loops_ridge(self) -> np.ndarray:
        """`ridge` for the compiled loops."""
        return np.ascontiguousarray(self.ridge.numpy())


def constants_of(coordinates: Coordinates, device: torch.device) -> Constants:
    """Constants of coordinates on a device, made once."""
    if device not in coordinates.constants:
        coordinates.constants[device] = _constants(coordinates, device)
    return coordinates.constants[device]


def _constants(coordinates: Coordinates, device: torch.device) -> Constants:
    family, positions = coordinates.spec.family, coordinates.spec.positions.to(device)
    n = len(positions)
    patterns = family.patterns.to(device=device, dtype=torch.complex128)
    patterns = torch.cat([patterns, family.adjoints.to(patterns)])
    eye = torch.eye(n, dtype=torch.complex128, device=device)
    mean = family.mean.to(eye)
    blocks = mean.shape[1] // n
    place, last = coordinates.noise_place, coordinates.size - 1  # `information` appends the noise instead
    order = [*range(place), last, *range(place, last)] if coordinates.unknown_noise else []
    planar = coordinates.spec.elevated or bool(positions[:, 0].abs().max() > 0)
    axes = positions if coordinates.spec.elevated else positions[:, :2] if planar else positions[:, 1:2]
    return Constants(
        coordinates=coordinates,
        eye=eye,
        mean=mean,
        patterns=patterns.reshape(-1, mean.shape[1]),
        n_blocks=blocks,
        starts_uncoupled=blocks == 1 and bool(torch.equal(mean, eye)),
        noise_last=torch.tensor(order, device=device).long(),
        planar=planar,
        wave=2 * math.pi * axes,
    )
