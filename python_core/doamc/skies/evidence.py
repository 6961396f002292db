"""What tells how far off an image may be: where chain, prior, visibilities and compressed sensing disagree.

A prior that does not know a sky does not know that either. But then the visibilities surprise it and pull it further
than it expects, the residual keeps structure, compressed sensing finds something else, and emission goes on to where
nothing measures. `features` makes numbers of it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.imaging.visibilities import GridVisibilities, cycles
from doamc.imaging.wiener import fit_spectrum

LOW = 4.0  #: cycles an image, below which frequencies count as low


@dataclass(frozen=True)
class Evidence:
    """What is known of B images of H x W pixels when they are done: (B, H, W) each, in units of flux.

    deviation: of the chain. start: the image by compressed sensing; first: that at the end of the first sweep. pull:
    root mean square of how far y pulls x_0 away from the prior. residual: dirty image of what is left, over the
    deviation of its noise. level: (B,), noise of the sky at which sweeps end. missing: (B, 2), see `missing_power`.
    surprise: (B, levels, rings), see `surprise`. noise: of a visibility; mask: (H, W), measured cells; sweeps: number
    of them, 1 at least.
    """

    image: torch.Tensor
    deviation: torch.Tensor
    start: torch.Tensor
    first: torch.Tensor
    pull: torch.Tensor
    residual: torch.Tensor
    level: torch.Tensor
    missing: torch.Tensor
    surprise: torch.Tensor
    noise: float
    mask: torch.Tensor
    sweeps: int


def missing_power(visibilities: GridVisibilities) -> NDArray[np.float64]:
    """Root mean square, flux a pixel, of what is expected in cells that are not measured, (B, 2): below `LOW`, and all.

    By the power spectrum that fits the visibilities of each sky best.
    """
    n, noise, mask = visibilities.side, visibilities.cell_sigma**2, visibilities.mask
    k = cycles(mask.shape)
    found = []
    for values in visibilities.values:
        power = np.where(mask, 0, fit_spectrum(np.abs(values) ** 2, k, noise, mask))
        found.append([np.sqrt(power[k < LOW].sum()) / n, np.sqrt(power.sum()) / n])
    return np.array(found)
