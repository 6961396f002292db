"""Images from visibilities by diffusion with the learned prior: methods `posterior` and `ddrm` of ``doamc image``."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from doamc.errors import ImagingError
from doamc.imaging.visibilities import GridVisibilities, SkyImage
from doamc.skies.ddrm import ddrm
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.posterior import posterior
from doamc.skies.problem import Run

TOGETHER = 1 << 18  #: pixels that are worked on at once

#: called with the number of images done, as they are done
Report = Callable[[int], None]

#: name -> restoration of a part of the skies
RESTORATIONS: dict[str, Callable[[GridVisibilities, Run, SkyDenoiser, int], tuple[torch.Tensor, torch.Tensor]]] = {
    "posterior": posterior,
    "ddrm": ddrm,
}


def restore(
    visibilities: GridVisibilities,
    run: Run | None = None,
    method: str = "posterior",
    weights: str | Path | None = None,
    report: Report | None = None,
) -> SkyImage:
    """Mean and standard deviation of the sky, flux a pixel; `ddrm` has a deviation from two samples on.

    Raises ImagingError where the method is none of `RESTORATIONS`, CheckpointError where the weights do not open.
    """
    run = run or Run()
    if method not in RESTORATIONS:
        raise ImagingError(f"expected a method of {', '.join(RESTORATIONS)}, found {method!r}")
    side = visibilities.side
    denoiser = SkyDenoiser.open((side, side), weights)
    done, means, deviations = 0, [], []
    for first, part in _parts(visibilities, run.samples):
        with torch.inference_mode():
            mean, deviation = RESTORATIONS[method](part, run, denoiser, first)
        means.append(mean)
        deviations.append(deviation)
        done += len(mean)
        if report is not None:
            report(done)
    image, std = (torch.cat(v).unflatten(1, visibilities.mask.shape).double().numpy() for v in (means, deviations))
    return SkyImage(image, None if np.isnan(std).any() else std)


def _parts(visibilities: GridVisibilities, samples: int) -> Iterator[tuple[int, GridVisibilities]]:
    """As many skies as are worked on at once, with the number of the first."""
    count = max(1, TOGETHER // (visibilities.mask.size * samples))
    for first in range(0, len(visibilities.values), count):
        yield first, visibilities.part(first, first + count)
