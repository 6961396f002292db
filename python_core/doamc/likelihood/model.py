"""Constants of an array and its prior as the compiled kernels read them: `struct model` of loops/model.h."""

import ctypes
import math
from ctypes import c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from doamc.likelihood.addresses import address

if TYPE_CHECKING:
    import torch

    from doamc.likelihood.coordinates import Coordinates


class ModelStructure(ctypes.Structure):
    """`struct model` of model.h."""

    _fields_ = [
        *((name, c_int64) for name in (
            "n", "wide", "n_patterns", "n_sources", "n_flat", "n_pairs", "n_box", "size", "even", "hermitian", "n_real",
            "n_normal", "unknown_noise", "circle", "elevated", "amplitude", "flat", "noise", "azimuth", "wrapping",
            "angle", "phase", "height",
        )),
        ("gap", c_double),
        *((name, c_void_p) for name in ("steer", "rise", "mean", "patterns", "low", "high")),
    ]  # fmt: skip


@dataclass(frozen=True)
class Model:
    """Constants of an array and its prior.

    steer: (N, 2) 2 pi x and 2 pi y; rise: (N,) 2 pi z, read where there are heights. even: whether the elements stand
    evenly on a line, the first at the origin.
    mean (N, J N), patterns (K', N, J N) complex. n_real: the first flat coordinates, which are coefficients themselves,
    the others having a phase; n_normal: the first ones of standard normal prior.
    places: first index of amplitude, flat, noise, azimuth, wrapping and correlation coordinates (angles, phases), and
    of heights, the sines of elevations, where `elevated`.
    n_pairs: of sources that may be coherent, 0 where none may.
    gap: cosine of the least separation on a circle or a sphere, else the separation in rad; circle: whether it is one.
    low, high: (d,) of the prior's box, whose first n_box coordinates have walls.
    """

    steer: np.ndarray
    rise: np.ndarray
    even: bool
    mean: np.ndarray
    patterns: np.ndarray
    hermitian: bool
    n_real: int
    n_normal: int
    n_sources: int
    n_flat: int
    n_pairs: int
    unknown_noise: bool
    places: tuple[int, int, int, int, int, int, int, int]
    low: np.ndarray
    high: np.ndarray
    n_box: int
    gap: float
    circle: bool
    elevated: bool = False

    @cached_property
    def structure(self) -> ModelStructure:
        """What the library reads; its arrays live as long as this object does.

        Raises: KernelError where arrays do not fit each other.
        """
        n, wide = self.mean.shape
        d, k = len(self.low), len(self.patterns)
        return ModelStructure(
            n, wide, k, self.n_sources, self.n_flat, self.n_pairs, self.n_box, d, self.even, self.hermitian,
            self.n_real, self.n_normal, self.unknown_noise, self.circle, self.elevated, *self.places, self.gap,
            address(self.steer, "steer", (n, 2)), address(self.rise, "rise", (n,)),
            address(self.mean, "mean", (n, wide), np.complex128),
            address(self.patterns, "patterns", (k, n, wide), np.complex128),
            address(self.low, "low", (d,)), address(self.high, "high", (d,)),
        )  # fmt: skip


def evenly(steer: np.ndarray) -> bool:
    """Whether elements of wave numbers (N, 2) stand evenly on a line, the first at the origin."""
    return bool((np.abs(steer - np.arange(len(steer))[:, None] * steer[1:2]) <= 1e-12).all())


def make_model(coordinates: "Coordinates", mean: "torch.Tensor", patterns: "torch.Tensor") -> Model:
    """Model of coordinates on the CPU; mean (N, J N) and patterns (K' N, J N) as in `ExactPosterior`."""
    spec, p = coordinates.spec, coordinates.n_sources
    steer = np.ascontiguousarray((2 * math.pi * spec.positions[:, :2]).numpy())
    noise = coordinates.noise_place
    height = noise + int(coordinates.unknown_noise)
    tail = height + (p if spec.elevated else 0)
    wrapping = coordinates.size - tail - p - coordinates.n_pairs
    azimuth, phase = (tail, tail + p) if coordinates.azimuth_first else (tail + wrapping, tail)
    places = (0, p, noise, azimuth, phase, p + coordinates.n_flat, tail + p + wrapping, height)
    gap = math.radians(spec.min_separation_deg)
    return Model(
        steer=steer,
        rise=np.ascontiguousarray((2 * math.pi * spec.positions[:, 2]).numpy()),
        even=evenly(steer) and not spec.elevated,
        mean=np.ascontiguousarray(mean.numpy()),
        patterns=np.ascontiguousarray(patterns.reshape(-1, *mean.shape).numpy()),
        hermitian=bool(spec.family.hermitian),
        n_real=coordinates.n_flat - spec.family.n_wrapping,
        n_normal=coordinates.n_normal,
        n_sources=p,
        n_flat=coordinates.n_flat,
        n_pairs=coordinates.n_pairs,
        unknown_noise=coordinates.unknown_noise,
        places=places,
        low=coordinates.low.numpy(),
        high=coordinates.high.numpy(),
        n_box=coordinates.n_box,
        gap=math.cos(gap) if spec.full_circle or spec.elevated else gap,
        circle=spec.full_circle,
        elevated=spec.elevated,
    )
