"""A chain that samples skies given visibilities: noise, denoise, draw what agrees with the visibilities, and again.

    x_t = x_0 + sigma_t n,    x_0 ~ p(x_0 | x_t, y)

Each of the two draws leaves p(x_0, x_t | y) at this level of noise as it is (Gibbs), whatever the level: where
`Conditional` is exact, so is the chain. Levels fall to about the noise of y; then the chain goes up again and down in
sweeps of a few steps, and every sweep ends in another draw of the sky. To stay at a low level instead would be worse:
there the prior alone moves what y does not tell, and its small errors add up.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch.nn import functional

from doamc.diffusion.samplers.noise import Noise
from doamc.skies.conditional import Conditional

AROUND = 5  #: side of the square of pixels that a variance is taken of
FEW = 6  #: steps; of fewer, the variance between them is mostly taken of the pixels around


class Prior(Protocol):
    """A denoiser that knows its errors."""

    def posterior(self, x_t: torch.Tensor, alpha: float, sigma: torch.Tensor, /) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean of x_0 given x_t, and its variance, (B, N) each."""


class Moments:
    """Mean and variance of x_0 over what was collected, (B, N).

    The variance is that of x_0 within a step, and that of the conditional means between steps. Within, it is the one
    that the denoiser gives, corrected by what y takes of it: the ratio of squares of the draws to it in the pixels
    around. Between few steps it is taken of the pixels around as well.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape, self.count = shape, 0
        self._mean = self._square = self._given = self._drawn = self._pull = torch.zeros(())

    def add(self, mean: torch.Tensor, draw: torch.Tensor, prior: torch.Tensor, given: torch.Tensor) -> None:
        """Conditional mean of x_0, a draw, and mean and variance given x_t alone."""
        self._pull = self._pull + (mean - prior).square()
        self.count += 1
        self._mean, self._square = self._mean + mean, self._square + mean.square()
        self._given, self._drawn = self._given + given, self._drawn + (draw - mean).square()

    @property
    def mean(self) -> torch.Tensor:
        """That of the conditional means: it varies less than that of the draws."""
        return self._mean / self.count

    @property
    def pull(self) -> torch.Tensor:
        """Mean square of how far y pulls x_0 away from what the prior says given x_t."""
        return self._pull / self.count

    @property
    def variance(self) -> torch.Tensor:
        """See above."""
        n = self.count
        within = self._given / n * self._around(self._drawn) / self._around(self._given).clamp_min(1e-30)
        between = (self._square / n - self.mean.square()).clamp_min(0) * (n / max(n - 1, 1))
        own = n / (n + FEW)
        return within + own * between + (1 - own) * self._around(between)

    def _around(self, x: torch.Tensor) -> torch.Tensor:
        image = x.unflatten(1, self.shape)[:, None]
        return functional.avg_pool2d(image, AROUND, 1, AROUND // 2, count_include_pad=False)[:, 0].flatten(1)


class Mean:
    """Mean of what was added, (B, N)."""

    def __init__(self) -> None:
        self.count, self._sum = 0, torch.zeros(())

    def add(self, x: torch.Tensor) -> None:
        """One more."""
        self.count, self._sum = self.count + 1, self._sum + x

    @property
    def value(self) -> torch.Tensor:
        """See above."""
        return self._sum / self.count


class Chain:
    """The chain at its present draw of x_0, (B, N)."""

    def __init__(self, prior: Prior, conditional: Conditional, noise: Noise, draw: torch.Tensor) -> None:
        self.prior, self.conditional, self.noise, self.draw = prior, conditional, noise, draw

    def run(
        self,
        levels: Sequence[torch.Tensor],
        moments: Moments | None = None,
        last: int = 1,
        every: "Mean | None" = None,
    ) -> torch.Tensor:
        """A step at each of the levels, (B, 1) each; returns the last conditional mean.

        moments: collects those of the last steps, so many. every: collects the conditional means of all steps.
        """
        mean = self.draw
        for k, level in enumerate(levels):
            x_t = self.draw + level * self.noise.draw()
            found = self.prior.posterior(x_t, 1.0, level)
            noise = self.noise.draw(), self.noise.draw()
            collected = k >= len(levels) - last
            if every is None and not collected:
                self.draw = self.conditional.draw(*found, noise)
                continue
            mean, self.draw = self.conditional.both(*found, noise)
            if every is not None:
                every.add(mean)
            if moments is not None and collected:
                moments.add(mean, self.draw, *found)
        return mean


def falling(first: torch.Tensor, last: torch.Tensor, count: int) -> list[torch.Tensor]:
    """`count` levels, evenly in the logarithm, from first to last, (B, 1) each."""
    return [first * (last / first) ** (k / max(count - 1, 1)) for k in range(count)]
