"""Visibilities as chains take them: in units of the brightest pixel, with the levels of noise of a sweep.

A sky is taken in units of the power of two that is nearest to its brightest pixel, first that of compressed sensing.
"""

from dataclasses import dataclass

import numpy as np
import torch

from doamc.diffusion.samplers import ItemNoise
from doamc.errors import ImagingError
from doamc.imaging.iuwt import iuwt
from doamc.imaging.sampling import FourierSampling
from doamc.imaging.visibilities import GridVisibilities
from doamc.skies.chain import falling
from doamc.skies.colour import CORNER, error_colour
from doamc.skies.conditional import ITERATIONS, Conditional
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.surprise import Surprise

UNIT = 64  #: pixels a side of images that levels and colours here are meant for; sources grow with the image
FIRST = 3.0  #: level of noise that a chain begins at, in units of the peak
TOP = 0.2  #: level at which a sweep begins
TRUSTED = 0.002  #: level below which errors of the prior are no longer small beside it
LEAST_NOISE = 1e-6  #: of a visibility, in units of the peak: what single precision brings by itself
START = 50  #: steps of compressed sensing, whose image a chain begins at


@dataclass(frozen=True)
class Run:
    """steps: calls of the network; samples: chains side by side; seed: of the noise of all of them."""

    steps: int = 200
    samples: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 2 or self.samples < 1:
            raise ImagingError(f"expected 2 steps or more and a sample, found {self.steps} and {self.samples}")


class Problem:
    """Visibilities of B skies, each `samples` times, in units of `peak` (B, 1), which may be changed."""

    def __init__(self, visibilities: GridVisibilities, run: Run, first: int) -> None:
        self.operator, y, self.noise_power = FourierSampling.of(visibilities)
        self.y = y.repeat_interleave(run.samples, 0)
        count, pixels = len(self.y), self.operator.columns
        #: noise of a visibility in the middle of all
        self.noise_std = self.noise_power**0.5 / float(self.operator.s.median())
        self.start = torch.from_numpy(iuwt(visibilities, START)).float().flatten(1).repeat_interleave(run.samples, 0)
        least = self.noise_std * float(visibilities.mask.mean()) ** 0.5  # noise of the dirty image
        self.peak = nearest_power(self.start.amax(1, keepdim=True).clamp_min(least))
        seeds = [item_seed(run.seed, first * run.samples + i) for i in range(count)]
        self.noise = ItemNoise(seeds, (pixels,), torch.float32, block=16)
        self.size = pixels**0.5 / UNIT
        self.colour = error_colour(self.operator.shape, CORNER / self.size)

    def bottom(self, trusted: float = TRUSTED) -> torch.Tensor:
        """Level (B, 1), in units of the peak, at which a sweep ends."""
        return ((self.noise_std / self.peak).square() + trusted**2).sqrt().clamp_max(FIRST)

    def levels(self, count: int, trusted: float = TRUSTED) -> list[torch.Tensor]:
        """Those of a sweep of so many steps, (B, 1) each."""
        top, bottom = min(TOP * self.size, FIRST), self.bottom(trusted)
        return falling((4 * bottom).clamp(top, FIRST), bottom, count)

    def in_units(self) -> tuple[torch.Tensor, torch.Tensor]:
        """y (B, R) and its noise power (B, 1), in units of the peak."""
        return self.y / self.peak, self.noise_power / self.peak.square()

    def surprise(self, prior: SkyDenoiser) -> Surprise:
        """The prior, with what tells how much y surprises it in a sweep."""
        y, power = self.in_units()
        ends = self.levels(2)
        return Surprise(prior, self.operator, y, power, self.colour, (ends[0], ends[1]))

    def conditional(self, iterations: int = ITERATIONS) -> Conditional:
        """What y says of x_0 in units of the peak."""
        y, power = self.in_units()
        power = power.clamp_min((LEAST_NOISE * float(self.operator.s.median())) ** 2)
        return Conditional(self.operator, y, power, self.colour, iterations)

    def measured(self, x: torch.Tensor) -> torch.Tensor:
        """What x (B, N) has in the measured cells."""
        return self.operator.from_spectral(self.operator.spectral(x))


def nearest_power(peak: torch.Tensor) -> torch.Tensor:
    """The nearest power of two: what is measured in it has a peak of 0.7 to 1.4, which the prior knows."""
    return torch.exp2(peak.clamp_min(1e-30).log2().round())


def item_seed(seed: int, item: int) -> int:
    """Seed of the noise of one chain: the same whichever others run beside it."""
    return int(np.random.SeedSequence([seed, item]).generate_state(1, np.uint64)[0] >> np.uint64(1))
