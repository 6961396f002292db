"""MUSIC: multiple signal classification."""

from doamc.arrays.steering import steering, steering_derivative
from doamc.estimators.base import Estimates, Estimator
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.estimators.subspace import music_std, noise_projector, require_rank, signal_subspace
from doamc.estimators.uncoupled import uncoupled_estimates
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class Music(Estimator):
    """Minima of a^H G G^H a, G the noise subspace ([Schmidt]), for any geometry; needs L >= P.

    The standard deviation is the large-sample one of [Stoica-Nehorai]; it knows nothing of coupling, whose
    bias comes on top. step_deg: grid step of the search, removed by Newton steps.
    """

    name = "music"
    summary = "noise-subspace spectrum; any array; sharp, but blind to coupling"

    def __init__(self, spec: ArraySpec | str, step_deg: float = 0.25) -> None:
        super().__init__(spec)
        self.spectrum = QuadraticSpectrum(self.spec, step_deg)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions as minima of the noise-subspace spectrum. Raises EstimatorError when L < P."""
        require_rank(batch, n_sources, self.name)
        values, signal = signal_subspace(batch.covariance, n_sources)
        azimuth = self.spectrum.minima(noise_projector(signal), n_sources)
        positions = self.spec.positions.to(azimuth.device)
        derivative, _ = steering_derivative(positions, azimuth)
        std = music_std(batch, values, signal, steering(positions, azimuth), derivative)
        return uncoupled_estimates(self.spec, batch, azimuth, std)
