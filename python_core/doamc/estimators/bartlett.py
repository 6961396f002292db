"""Bartlett's conventional beamformer."""

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.uncoupled import spectral_estimates, spectrum_of
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class Bartlett(Estimator):
    """Peaks of the beam power a^H R a ([Krim-Viberg] eq. (18)), for any geometry and any L >= 1.

    One source: the maximum-likelihood estimate. Several: biased by side lobes whatever the SNR, and blind within a
    beamwidth; that bias has no large-sample variance, so no standard deviation is given.
    step_deg: grid step of the search for azimuths; with elevations the beamwidth sets it.
    """

    name = "bartlett"
    elevations = directional = True
    summary = "conventional beamformer; any array, any L; resolves no closer than a beamwidth"

    def __init__(self, spec: ArraySpec | str, step_deg: float = 0.25) -> None:
        super().__init__(spec)
        self.spectrum = spectrum_of(self.spec, step_deg)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions as peaks of the beam power; coupling is taken to be none."""
        return spectral_estimates(self.spec, batch, self.spectrum, -batch.covariance, n_sources)
