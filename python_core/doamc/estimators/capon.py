"""Capon's minimum-variance beamformer."""

import torch

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.uncoupled import spectral_estimates, spectrum_of
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class Capon(Estimator):
    """Peaks of 1 / (a^H R^-1 a) ([Capon]; [Krim-Viberg] eq. (22)), for any geometry.

    With L < N snapshots the sample covariance is singular and is loaded: R + (N / L) s2 I where the noise power s2 is
    known, else R + 0.03 (tr R / N) I. With L >= N it is used as it is, but for 1e-12 tr R / N that only matters
    without noise. No standard deviation is given: the bias between sources has no large-sample variance.
    step_deg: grid step of the search for azimuths; with elevations the beamwidth sets it. loading: another loading, as
    a share of tr R / N, used for every L.
    """

    name = "capon"
    elevations = directional = True
    summary = "minimum-variance beamformer; any array; loaded diagonally when L < N"

    def __init__(self, spec: ArraySpec | str, step_deg: float = 0.25, loading: float | None = None) -> None:
        super().__init__(spec)
        self.spectrum = spectrum_of(self.spec, step_deg)
        self.loading = loading

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions as peaks of the minimum-variance spectrum; coupling is taken to be none."""
        eye = torch.eye(batch.n_elements, dtype=batch.covariance.dtype, device=batch.covariance.device)
        loaded = batch.covariance + self._loading(batch)[:, None, None] * eye
        inverse = torch.linalg.inv(loaded)
        return spectral_estimates(self.spec, batch, self.spectrum, (inverse + inverse.mH) / 2, n_sources)

    def _loading(self, batch: SnapshotBatch) -> torch.Tensor:
        """What is added to the diagonal, (B,)."""
        mean_power = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
        if self.loading is not None:
            return self.loading * mean_power
        if batch.n_snapshots >= batch.n_elements:
            return 1e-12 * mean_power
        if batch.noise_power is not None:
            return batch.n_elements / batch.n_snapshots * batch.noise_power
        return 0.03 * mean_power
