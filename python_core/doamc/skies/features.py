"""Numbers that tell how far off an image may be: of each pixel, and of the whole sky.

Those of a pixel tell where in the image errors are; those of the sky, how strange it is to the prior, which makes
intervals narrow on skies that it knows and wide on others. All are logarithms in units of the level of noise, or of
ratios: no unit of flux matters to them. Squares of pixels grow with the image, and frequencies are in cycles an image.
"""

import math

import numpy as np
import torch
from torch.nn import functional

from doamc.imaging.visibilities import cycles
from doamc.skies.evidence import LOW, Evidence
from doamc.skies.surprise import EDGES, LEVELS, RINGS

#: sides of the squares of pixels that are averaged over or looked through, in images of 64 x 64
NEAR, AROUND, WIDE, WIDEST, UNIT = 5, 9, 15, 31, 64
#: least of a feature, in units of the noise: of what is positive, of means, of what is missing; and of shares
LEAST, LEAST_MEAN, LEAST_MISSING, LEAST_SHARE = 1e-4, 1e-3, 1e-2, 1e-3
MOST_TAILS, MOST_SWEEPS = 100.0, 40  #: kurtosis of the residual, and sweeps (those of training), at most
PIXEL = (
    "deviation", "deviation near", "deviation wide", "deviation most", "image", "image near", "image most",
    "mean wide", "mean widest", "change near", "change wide", "change smooth", "drift near", "drift wide",
    "pull near", "pull wide", "residual near", "residual wide",
)  # fmt: skip
SKY = (
    "deviation", "change", "drift", "pull", "residual", "tails", "median", "share", "negative",
    "low missing", "missing", "measured", "low measured", "total measured", "noise", "sweeps",
    *(f"change {cells} {ring}" for cells in ("seen", "unseen") for ring in range(RINGS)),
    *(f"surprise {level} {ring}" for level in range(LEVELS) for ring in range(RINGS)),
)  # fmt: skip


def pixel_features(evidence: Evidence) -> torch.Tensor:
    """`PIXEL` of every pixel, (B, H, W, F)."""
    e, size = evidence, evidence.image.abs()
    change, drift = e.image - e.start, e.image - e.first

    def log(x: torch.Tensor, least: float = LEAST) -> torch.Tensor:
        return (x / e.level[:, None, None]).clamp_min(least).log()

    def root(x: torch.Tensor, side: int) -> torch.Tensor:
        return mean_around(x.square(), side).sqrt()

    return torch.stack([
        log(e.deviation), log(root(e.deviation, NEAR)), log(root(e.deviation, WIDE)), log(most_around(e.deviation)),
        log(size), log(root(e.image, NEAR)), log(most_around(size)),
        log(mean_around(e.image, WIDE), LEAST_MEAN), log(mean_around(e.image, WIDEST), LEAST_MEAN),
        log(root(change, NEAR)), log(root(change, WIDE)), log(mean_around(change, WIDE).abs(), LEAST_MEAN),
        log(root(drift, NEAR)), log(root(drift, WIDE)), log(root(e.pull, NEAR)), log(root(e.pull, WIDE)),
        (root(e.residual, NEAR) + LEAST_SHARE).log(), (root(e.residual, WIDE) + LEAST_SHARE).log(),
    ], -1)  # fmt: skip


def sky_features(evidence: Evidence) -> torch.Tensor:
    """`SKY` of every sky, (B, F)."""
    e, size, level = evidence, evidence.image.abs(), evidence.level
    change, one = e.image - e.start, torch.ones_like(evidence.level)

    def log(x: torch.Tensor, least: float = LEAST) -> torch.Tensor:
        return (x / level).clamp_min(least).log()

    def root(x: torch.Tensor) -> torch.Tensor:
        return x.square().mean((1, 2)).sqrt()

    power = e.residual.square()
    tails = power.square().mean((1, 2)) / power.mean((1, 2)).square().clamp_min(1e-12)
    low = torch.from_numpy(cycles(size.shape[1:]) < LOW)
    of_sky = [
        log(root(e.deviation)), log(root(change)), log(root(e.image - e.first)), log(root(e.pull)),
        (root(e.residual) + LEAST_SHARE).log(), tails.clamp(1 / MOST_TAILS, MOST_TAILS).log(),
        log(size.flatten(1).median(1).values, LEAST_MEAN),
        ((size > 2 * level[:, None, None]).float().mean((1, 2)) + LEAST_SHARE).log(),
        log(root((-e.image).clamp_min(0))),
        *(log(v, LEAST_MISSING) for v in e.missing.T),
        one * e.mask.float().mean().log(), one * (((e.mask & low).sum() + 1) / low.sum()).log(),
        one * e.mask[0, 0], log(one * e.noise), one * math.log(min(e.sweeps, MOST_SWEEPS)),
    ]  # fmt: skip
    return torch.cat([torch.stack(of_sky, 1), _by_ring(change, e.mask, level), e.surprise.flatten(1)], 1)


def _by_ring(change: torch.Tensor, mask: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """Root mean square a pixel of what changed, by rings of cells that are measured, then of those that are not."""
    ring = torch.from_numpy(np.searchsorted(EDGES, cycles(mask.shape), side="right")) + RINGS * (~mask).long()
    power = torch.fft.fft2(change, norm="ortho").abs().square().flatten(1)
    sums = power.new_zeros(len(change), 2 * RINGS).index_add(1, ring.flatten(), power)
    return ((sums / change[0].numel()).sqrt() / level[:, None]).clamp_min(LEAST_MEAN).log()


def mean_around(x: torch.Tensor, side: int) -> torch.Tensor:
    """Of (B, H, W), over squares."""
    reach = _reach(x, side)
    return functional.avg_pool2d(x[:, None], 2 * reach + 1, 1, reach, count_include_pad=False)[:, 0]


def most_around(x: torch.Tensor) -> torch.Tensor:
    """Of (B, H, W), in squares of `AROUND`."""
    reach = _reach(x, AROUND)
    return functional.max_pool2d(x[:, None], 2 * reach + 1, 1, reach)[:, 0]


def _reach(x: torch.Tensor, side: int) -> int:
    return max(1, round(side // 2 * x.shape[-1] / UNIT))
