"""What an image owes to the error of the coupling: it is made once more without each batch that C was estimated of.

Of B batches with estimates C_b, the image with the mean of all but one in the place of the mean has, by the jackknife
[Efron], the variance (B - 1) / B sum_b (I_b - mean I_b)^2. It holds what varies between batches, and not what is wrong
with all of them: an array that is not as its specification says, a path of reflection.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.array_image import ArrayImage, SkySource
from doamc.imaging.array_visibilities import without_coupling
from doamc.imaging.peak_fit import fit_peak
from doamc.imaging.sky_grid import angles_of


def with_coupling_spread(
    image: ArrayImage,
    beam: ArrayBeam,
    covariance: NDArray[np.complex128],  # shape: (N, N), R
    couplings: NDArray[np.complex128],  # shape: (B, N, N), whose mean was taken out
) -> ArrayImage:
    """The image with deviations of pixels and sources that hold the spread of the coupling as well.

    One batch tells no spread: the image as it was.
    """
    if len(couplings) < 2:
        return image
    changes = [v - image.observed.values for v in _without_one(covariance, couplings, image.observed.noise_power)]
    pixels = _jackknife(np.stack([beam.dirty(change) for change in changes]))
    sources = [_source(source, beam, image, changes) for source in image.sources]
    return replace(image, std=np.hypot(image.std, pixels), sources=sources)


def _without_one(
    covariance: NDArray[np.complex128], couplings: NDArray[np.complex128], noise_power: float
) -> Iterator[NDArray[np.complex128]]:
    """Visibilities with each batch left out of C."""
    clean = covariance - noise_power * np.eye(len(covariance))
    for left_out in couplings:
        yield without_coupling(clean, (couplings.sum(0) - left_out) / (len(couplings) - 1))


def _jackknife(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over the first axis."""
    return np.sqrt((len(found) - 1) * found.var(0))


def _source(source: SkySource, beam: ArrayBeam, image: ArrayImage, changes: list[NDArray[np.complex128]]) -> SkySource:
    """The peak that the source has alone, moved by what each change adds to it."""
    a = beam.response(source.direction[None])[0]
    own = source.power * np.outer(a, a.conj())
    peaks = [fit_peak(beam, own + change, source.direction) for change in changes]
    azimuth, elevation = np.stack([angles_of(beam.canonical(p.direction)[None]) for p in peaks])[..., 0].T
    azimuth = (azimuth - source.azimuth_deg + 180) % 360
    spreads = [float(_jackknife(v)) for v in (azimuth, elevation, np.array([p.power for p in peaks]))]
    return replace(
        source,
        azimuth_std_deg=math.hypot(source.azimuth_std_deg, spreads[0]),
        elevation_std_deg=math.hypot(source.elevation_std_deg, spreads[1]),
        power_std=math.hypot(source.power_std, spreads[2]),
    )
