"""Methods of the grid by name: from visibilities to an image of flux a pixel. Those that learn are in `doamc.skies`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.beam import fit_beam, restored
from doamc.imaging.clean import Components, clean
from doamc.imaging.dirty import beam_image, dirty_image
from doamc.imaging.iuwt import STEPS, iuwt
from doamc.imaging.multiscale import multiscale_clean
from doamc.imaging.visibilities import GridVisibilities, SkyImage
from doamc.imaging.wiener import wiener

#: deviations of the noise of the dirty image down to which CLEAN goes
DEPTH = 3.0
#: called with the number of skies done, as they are done
Report = Callable[[int], None]
_Algorithm = Callable[[NDArray[np.float64], NDArray[np.float64], float], Components]


def dirty_noise(visibilities: GridVisibilities) -> float:
    """Standard deviation of the noise of `beam_image`, flux a beam."""
    return float(visibilities.side / np.sqrt((visibilities.cell_sigma[visibilities.mask] ** -2.0).sum()))


def cleaned(visibilities: GridVisibilities, algorithm: _Algorithm, report: Report | None = None) -> SkyImage:
    """Images by an algorithm of the kind of CLEAN, restored with the beam and the residual."""
    dirty, psf = beam_image(visibilities)
    beam, threshold = fit_beam(psf), DEPTH * dirty_noise(visibilities)
    images, models = [], []
    for each in dirty:
        found = algorithm(each, psf, threshold)
        images.append(restored(found.model, found.residual, beam))
        models.append(found.model)
        if report is not None:
            report(len(images))
    return SkyImage(np.stack(images), model=np.stack(models))


#: name -> method; steps: of those that take a number of them
METHODS: dict[str, Callable[[GridVisibilities, int | None, Report | None], SkyImage]] = {
    "dirty": lambda visibilities, steps, report: SkyImage(dirty_image(visibilities)),
    "clean": lambda visibilities, steps, report: cleaned(visibilities, clean, report),
    "multiscale": lambda visibilities, steps, report: cleaned(visibilities, multiscale_clean, report),
    "iuwt": lambda visibilities, steps, report: SkyImage(iuwt(visibilities, steps or STEPS, report=report)),
    "wiener": lambda visibilities, steps, report: wiener(visibilities),
}
