"""Forward-backward averaging and spatial smoothing, and MUSIC on the smoothed covariance."""

from dataclasses import replace

import torch

from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.linear import require_ula
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.estimators.subspace import noise_projector, signal_subspace
from doamc.estimators.uncoupled import uncoupled_estimates
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


def forward_backward(covariance: torch.Tensor) -> torch.Tensor:
    """(R + J conj(R) J) / 2 with J the exchange matrix, (..., N, N).

    Keeps the covariance of an array that is symmetric about its centre, doubles the snapshots and decorrelates two
    coherent paths ([Pillai-Kwon]).
    """
    return (covariance + covariance.conj().flip(-2, -1)) / 2


def spatial_smooth(covariance: torch.Tensor, subarray: int) -> torch.Tensor:
    """Mean covariance of the N - M + 1 subarrays of M neighbouring elements: (..., N, N) -> (..., M, M).

    Uniform linear arrays only. Restores the rank that coherent paths take away ([Shan-Wax-Kailath]).
    Raises EstimatorError unless 1 <= M <= N.
    """
    n = covariance.shape[-1]
    if not 1 <= subarray <= n:
        raise EstimatorError(f"a subarray must have 1..{n} elements, found {subarray}")
    parts = [covariance[..., k : k + subarray, k : k + subarray] for k in range(n - subarray + 1)]
    return torch.stack(parts).mean(0)


class SmoothedMusic(Estimator):
    """MUSIC on the forward-backward, spatially smoothed covariance; uniform linear arrays, coherent paths, any L.

    The K = N - M + 1 subarrays of M elements resolve P coherent paths when M > P and 2 K >= P, so P <= 2 N / 3.
    subarray: M; by default the largest of P + 1 and about two thirds of N. No standard deviation is given: it depends
    on the correlation of the paths. Raises EstimatorError for another geometry or too many sources.
    """

    name = "music-smoothed"
    directional = True
    summary = "MUSIC after forward-backward and spatial smoothing; uniform linear arrays; resolves coherent paths"

    def __init__(self, spec: ArraySpec | str, subarray: int | None = None, step_deg: float = 0.25) -> None:
        super().__init__(spec)
        require_ula(self.spec, self.name)
        self.subarray = subarray
        self.step_deg = step_deg
        self._spectra: dict[int, QuadraticSpectrum] = {}

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions as minima of the smoothed noise-subspace spectrum. Raises EstimatorError when P does not fit."""
        m = self._subarray(batch.n_elements, n_sources)
        smoothed = spatial_smooth(forward_backward(batch.covariance), m)
        _, signal = signal_subspace(smoothed, n_sources)
        azimuth = self._spectrum(m).minima(noise_projector(signal), n_sources)
        return uncoupled_estimates(self.spec, batch, azimuth)

    def _subarray(self, n: int, n_sources: int) -> int:
        """Subarray length for P sources."""
        m = self.subarray or max(n_sources + 1, round(2 * (n + 1) / 3))
        if not n_sources < m <= n or 2 * (n - m + 1) < n_sources:
            raise EstimatorError(
                f"{self.name} on {n} elements with subarrays of {m} cannot resolve {n_sources} sources; "
                f"it takes at most {2 * n // 3}, with subarrays of P + 1 to N + 1 - P / 2 elements"
            )
        return m

    def _spectrum(self, m: int) -> QuadraticSpectrum:
        """Search over the first m elements, made once for each m."""
        if m not in self._spectra:
            part = replace(self.spec, geometry={**self.spec.geometry, "elements": m})
            self._spectra[m] = QuadraticSpectrum(part, self.step_deg)
        return self._spectra[m]
