"""An image of the sky by an array of a few elements: dirty, CLEANed, what is left, how far off each may be, and points.

The standard deviation is that of L independent Gaussian snapshots: D = w^H R w with w = C^-H a / N has the variance
(w^H R w)^2 / L [Goodman], and so has the residual, since what CLEAN takes out is no more than arithmetic. The coupling
is taken as known; what its error adds: `coupling_spread`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.array_beam import ArrayBeam, indistinguishable
from doamc.imaging.array_visibilities import ArrayVisibilities
from doamc.imaging.direction_clean import Cleaned, clean, restored
from doamc.imaging.peak_fit import fit_peak, spread_of_peak
from doamc.imaging.sky_grid import SkyGrid, angles_of

#: standard deviations down to which CLEAN goes, and that a source has at least
DEPTH, SIGNIFICANT = 3.0, 5.0
#: independent samples of which no source is significant: the deviation of a power is at least the power over their root
TOO_FEW = SIGNIFICANT**2
#: `ArrayBeam.distance` of half a beam and of a whole one
_HALF, _WHOLE = math.log(2), 4 * math.log(2)


@dataclass(frozen=True)
class SkySource:
    """A point: unit vector (3,), its angles and full widths of the beam there in deg, power, and their deviations.

    NaN where the array does not tell, such as the elevation by a line; widths are infinite there.
    """

    direction: NDArray[np.float64]
    azimuth_deg: float
    elevation_deg: float
    azimuth_std_deg: float
    elevation_std_deg: float
    power: float
    power_std: float
    beam_deg: tuple[float, float]


@dataclass(frozen=True)
class ArrayImage:
    """Images (H, W) in power at one element, zero beyond the horizon of the grid.

    dirty: D. image: components with beams without sidelobes, and the residual. residual: what CLEAN leaves.
    std: standard deviation of dirty and residual. sources: strongest first. background: the image without them.
    peak: greatest value of the image. rms, artefact: of the background a beam and more from all sources, its root mean
    square and its greatest size; dynamic_range_db: peak over rms. alike: what the array cannot tell apart.
    """

    grid: SkyGrid
    dirty: NDArray[np.float64]
    image: NDArray[np.float64]
    residual: NDArray[np.float64]
    std: NDArray[np.float64]
    background: NDArray[np.float64]
    sources: list[SkySource]
    peak: float
    rms: float
    artefact: float
    observed: ArrayVisibilities
    alike: str | None

    @property
    def dynamic_range_db(self) -> float:
        """Peak over the root mean square of what is no source, dB; NaN where there is no peak."""
        return 10 * math.log10(self.peak / self.rms) if self.peak > 0 and self.rms > 0 else math.nan


def array_image(
    beam: ArrayBeam, observed: ArrayVisibilities, n_sources: int | None = None, gain: float = 0.2, most: int = 300
) -> ArrayImage:
    """Image of visibilities by an array.

    n_sources: number of sources at most, the strongest, whose surroundings are no background; None for all that are
    significant. gain, most: of `clean`. Raises ImagingError out of range.
    """
    std = np.asarray(beam.dirty(observed.total) / math.sqrt(observed.snapshots), dtype=np.float64)
    cleaned = clean(beam, observed.values, DEPTH * std, gain, most)
    sources, owned = _sources(beam, observed, cleaned, n_sources)
    background = cleaned.residual + restored(beam, cleaned.directions[~owned], cleaned.powers[~owned])
    image = background + restored(beam, cleaned.directions[owned], cleaned.powers[owned])
    away = beam.grid.inside
    for source in sources:
        away &= beam.separation(source.direction) > _WHOLE
    values = background[away]
    return ArrayImage(
        beam.grid, beam.dirty(observed.values), image, cleaned.residual, std, background, sources,
        float(image.max()), float(np.sqrt((values**2).mean())) if values.size else math.nan,
        float(np.abs(values).max()) if values.size else math.nan, observed, indistinguishable(beam.positions),
    )  # fmt: skip


def _sources(
    beam: ArrayBeam, observed: ArrayVisibilities, cleaned: Cleaned, most: int | None
) -> tuple[list[SkySource], NDArray[np.bool_]]:
    """Sources, strongest first, and which of the components are theirs."""
    left, powers, directions = np.ones(len(cleaned.powers), bool), cleaned.powers, cleaned.directions
    near = np.array([beam.distance(directions, d) < _HALF for d in directions]).reshape(len(powers), len(powers))
    found: list[SkySource] = []
    owned = np.zeros(len(powers), bool)
    while left.any() and (most is None or len(found) < most):
        totals = np.where(left, (near & left) @ powers, -np.inf)
        members = near[int(totals.argmax())] & left
        left &= ~members
        total = float(powers[members].sum())
        start = (np.abs(powers[members])[:, None] * directions[members]).sum(0)
        source = _fitted(beam, observed, cleaned, members, start / np.linalg.norm(start))
        if total <= 0 or source.power < SIGNIFICANT * source.power_std:
            break
        found.append(source)
        owned |= members
        around = beam.distance(directions, source.direction) < _WHOLE  # what mends the source's own beam
        owned |= around & left & (np.abs(powers) < 0.1 * source.power)
        left &= ~owned
    return sorted(found, key=lambda s: -s.power), owned


def _fitted(
    beam: ArrayBeam, observed: ArrayVisibilities, cleaned: Cleaned, members: NDArray[np.bool_],
    start: NDArray[np.float64],
) -> SkySource:  # fmt: skip
    """The peak of the residual with a source's own components, which no other source's sidelobes move."""
    a = beam.response(cleaned.directions[members])
    own = cleaned.left + (cleaned.powers[members] * a.T) @ a.conj()
    peak = fit_peak(beam, own, start)
    at = beam.canonical(peak.direction)
    azimuth, elevation = (float(angle[0]) for angle in angles_of(at[None]))
    spread = spread_of_peak(beam, observed, own, at)
    a = beam.response(at[None])[0]
    std = float((a.conj() @ observed.total @ a).real) / beam.n_elements**2 / math.sqrt(observed.snapshots)
    return SkySource(at, azimuth, elevation, *spread, peak.power, std, beam.width_deg(at))
