"""What tells how far off an image may be: where chain, prior, visibilities and compressed sensing disagree.

A prior that does not know a sky does not know that either. But then the visibilities pull it further than it expects,
the residual keeps structure, compressed sensing finds something else, and emission goes on to where nothing measures.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from doamc.imaging.visibilities import GridVisibilities
from doamc.imaging.wiener import fit_spectrum

#: sides of the squares of pixels that are averaged over, in images of 64 x 64
NEAR, WIDE, WIDEST = 5, 15, 31
LOW = 4.0  #: cycles an image, below which frequencies count as low
#: least of a feature, in units of the noise: of what is positive, of means, of what is missing; and of shares
LEAST, LEAST_MEAN, LEAST_MISSING, LEAST_SHARE = 1e-4, 1e-3, 1e-2, 1e-3
#: numbers that `Evidence.features` has for each pixel
FEATURES = (
    "deviation", "deviation near", "image", "image near", "mean wide", "mean widest", "change near", "change wide",
    "change", "pull near", "residual near", "median", "share", "low missing", "missing", "measured", "noise", "sweeps",
)  # fmt: skip
#: those that are larger the more is not known
DISAGREEMENT = (
    "deviation", "deviation near", "change near", "change wide", "change", "pull near", "residual near", "low missing",
    "missing", "noise", "sweeps",
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What is known of B images of H x W pixels when they are done: (B, H, W) each, in units of flux.

    deviation: of the chain. start: the image by compressed sensing. pull: root mean square of how far y pulls x_0 away
    from the prior. residual: dirty image of what is left, over the deviation of its noise. level: (B,), noise of the
    sky at which sweeps end. missing: (B, 2), see `missing_power`. noise: of a visibility; measured: share of the cells;
    sweeps: number of them, 1 at least.
    """

    image: torch.Tensor
    deviation: torch.Tensor
    start: torch.Tensor
    pull: torch.Tensor
    residual: torch.Tensor
    level: torch.Tensor
    missing: torch.Tensor
    noise: float
    measured: float
    sweeps: int

    def features(self) -> torch.Tensor:
        """`FEATURES` of every pixel, (B, H, W, F): logarithms in units of the level, whatever the unit of flux."""
        u = self.level[:, None, None]
        change = self.image - self.start

        def log(x: torch.Tensor, least: float = LEAST) -> torch.Tensor:
            return (x / u).clamp_min(least).log()

        def near(x: torch.Tensor, side: int = NEAR) -> torch.Tensor:
            return log(self._mean(x.square(), side).sqrt())

        size = self.image.abs()
        one = torch.ones_like(size)
        median = size.flatten(1).median(1).values[:, None, None]
        share = (size > 2 * u).float().mean((1, 2), keepdim=True)
        everywhere = [
            log(change.square().mean((1, 2), keepdim=True).sqrt()),
            log(median, LEAST_MEAN),
            (share + LEAST_SHARE).log(),
            *(log(v[:, None, None], LEAST_MISSING) for v in self.missing.T),
            one * np.log(self.measured),
            log(one * self.noise),
            one / self.sweeps,
        ]
        all_change, median, share, low, missing, measured, noise, sweeps = (one * v for v in everywhere)
        return torch.stack([
            log(self.deviation), near(self.deviation), log(size), near(self.image),
            log(self._mean(self.image, WIDE), LEAST_MEAN), log(self._mean(self.image, WIDEST), LEAST_MEAN),
            near(change), near(change, WIDE), all_change, near(self.pull),
            (self._mean(self.residual.square(), NEAR).sqrt() + LEAST_SHARE).log(),
            median, share, low, missing, measured, noise, sweeps,
        ], -1)  # fmt: skip

    def _mean(self, x: torch.Tensor, side: int) -> torch.Tensor:
        """Over squares, which grow with the image."""
        reach = max(1, round(side // 2 * x.shape[-1] / 64))
        return functional.avg_pool2d(x[:, None], 2 * reach + 1, 1, reach, count_include_pad=False)[:, 0]


def missing_power(visibilities: GridVisibilities) -> NDArray[np.float64]:
    """Root mean square, flux a pixel, of what is expected in cells that are not measured, (B, 2): below `LOW`, and all.

    By the power spectrum that fits the visibilities of each sky best.
    """
    n = visibilities.side
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(n, 1 / n)] * 2))
    noise, mask = visibilities.cell_sigma**2, visibilities.mask
    found = []
    for values in visibilities.values:
        power = np.where(mask, 0, fit_spectrum(np.abs(values) ** 2, k, noise, mask))
        found.append([np.sqrt(power[k < LOW].sum()) / n, np.sqrt(power.sum()) / n])
    return np.array(found)
