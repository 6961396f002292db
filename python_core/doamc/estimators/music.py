"""MUSIC: multiple signal classification."""

import torch

from doamc.arrays.steering import steering, steering_derivative
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.estimators.subspace import music_std, music_std_of_both, require_rank
from doamc.estimators.uncoupled import spectrum_of, uncoupled_estimates, without_coupling
from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import SpectrumGrid, music
from doamc.likelihood.kernels import Kernels
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class Music(Estimator):
    """Minima of a^H G G^H a, G the noise subspace ([Schmidt]), for any geometry; needs L >= P.

    The standard deviation is the large-sample one of [Stoica-Nehorai]; it knows nothing of coupling, whose
    bias comes on top. step_deg: grid step of the search for azimuths, removed by Newton steps; with elevations the
    beamwidth sets it.
    """

    name = "music"
    elevations = directional = True
    summary = "noise-subspace spectrum; any array; sharp, but blind to coupling"

    def __init__(self, spec: ArraySpec | str, step_deg: float = 0.25) -> None:
        super().__init__(spec)
        self.spectrum = spectrum_of(self.spec, step_deg)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions as minima of the noise-subspace spectrum. Raises EstimatorError when L < P."""
        require_rank(batch, n_sources, self.name)
        loops = loops_for(batch.covariance.device)
        if loops is not None and isinstance(self.spectrum, QuadraticSpectrum):
            return self._compiled(loops, self.spectrum.grid_of_loops, batch, n_sources)
        values, vectors = batch.eigen
        values, signal = values[:, -n_sources:], vectors[:, :, -n_sources:]
        # the projector on the noise subspace is I less this, and a^H I a the same everywhere
        if not isinstance(self.spectrum, QuadraticSpectrum):
            at = self.spectrum.minima(-(signal @ signal.mH), n_sources)
            response, slopes = steering(self.spec.positions, *at), steering_derivative(self.spec.positions, *at)
            std, elevation_std = music_std_of_both(batch, values, signal, response, *slopes)
            return uncoupled_estimates(self.spec, batch, at[0], std, None, at[1], elevation_std)
        azimuth = self.spectrum.minima(-(signal @ signal.mH), n_sources)
        response, derivative = (torch.from_numpy(v) for v in self.spectrum.response(azimuth.numpy()))
        std = music_std(batch, values, signal, response, derivative)
        return uncoupled_estimates(self.spec, batch, azimuth, std, response)

    def _compiled(self, loops: Kernels, grid: SpectrumGrid, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """The same in one call."""
        values, vectors, covariance = (x.resolve_conj().numpy() for x in (*batch.eigen, batch.covariance))
        noise = None if batch.noise_power is None else batch.noise_power.numpy()
        found = music(loops, grid, values, vectors, covariance, n_sources, batch.n_snapshots, noise)
        return without_coupling(self.spec, *(torch.from_numpy(x) for x in found))
