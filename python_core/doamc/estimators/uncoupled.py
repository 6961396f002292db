"""What the classical estimators share: they take the array to be free of coupling, C = I."""

import numpy as np
import torch

from doamc.arrays.steering import steering
from doamc.estimators.estimates import Estimates
from doamc.estimators.powers import source_powers
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.estimators.sphere_quadratic import SphereQuadratic
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import mean_of_smallest
from doamc.spec import ArraySpec


def noise_power_of(batch: SnapshotBatch, n_sources: int) -> torch.Tensor:
    """Noise power (B,): the known one where there is one, else the mean of the N - P smallest eigenvalues."""
    if batch.noise_power is not None:
        return batch.noise_power
    return mean_of_smallest(batch.eigen[0], n_sources)


def uncoupled_estimates(
    spec: ArraySpec,
    batch: SnapshotBatch,
    azimuth: torch.Tensor,  # shape: (B, P), rad, in any order
    std: torch.Tensor | None = None,  # shape: (B, P), rad, in the order of azimuth
    response: torch.Tensor | None = None,  # shape: (B, N, P), at azimuths that ascend already
    elevation: torch.Tensor | None = None,  # shape: (B, P), rad, in the order of azimuth
    elevation_std: torch.Tensor | None = None,  # shape: (B, P), rad
) -> Estimates:
    """Estimates with C = I: azimuths sorted, powers by least squares; NaN standard deviations where none are given."""
    if response is None:
        azimuth, order = azimuth.sort(1)
        std, elevation, elevation_std = (
            None if x is None else x.gather(1, order) for x in (std, elevation, elevation_std)
        )
        tilt = 0.0 if elevation is None else elevation
        response = steering(spec.positions.to(azimuth.device), azimuth, tilt)
    std = torch.full_like(azimuth, torch.nan) if std is None else std
    noise_power = noise_power_of(batch, azimuth.shape[1])
    power = source_powers(batch.covariance, response, noise_power)
    e = without_coupling(spec, azimuth, std, power, noise_power)
    return e if elevation is None else e.having(elevation=elevation, elevation_std=elevation_std)


def without_coupling(
    spec: ArraySpec,
    azimuth: torch.Tensor,  # shape: (B, P), rad, ascending
    std: torch.Tensor,  # shape: (B, P), rad
    power: torch.Tensor,  # shape: (B, P)
    noise_power: torch.Tensor,  # shape: (B,)
) -> Estimates:
    """Estimates with C = I."""
    size, n_sources = azimuth.shape
    coupling = np.zeros((size, spec.n_elements, spec.n_elements), np.complex128)
    coupling.reshape(size, -1)[:, :: spec.n_elements + 1] = 1.0
    c = torch.from_numpy(coupling).to(azimuth.device)
    count = torch.full((size,), n_sources, dtype=torch.int64, device=azimuth.device)
    return Estimates(azimuth, std, power, c, noise_power, count)


def spectrum_of(spec: ArraySpec, step_deg: float) -> QuadraticSpectrum | SphereQuadratic:
    """The search for minima of a quadratic form, with a grid of azimuths, or of both angles where there are elevations.

    step_deg: of the grid of azimuths; that of both angles goes by the beamwidth.
    """
    return SphereQuadratic(spec) if spec.elevated else QuadraticSpectrum(spec, step_deg)


def spectral_estimates(
    spec: ArraySpec,
    batch: SnapshotBatch,
    spectrum: QuadraticSpectrum | SphereQuadratic,
    matrix: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
) -> Estimates:
    """`uncoupled_estimates` at the lowest minima of a quadratic form."""
    if isinstance(spectrum, QuadraticSpectrum):
        return uncoupled_estimates(spec, batch, spectrum.minima(matrix, n_sources))
    azimuth, elevation = spectrum.minima(matrix, n_sources)
    return uncoupled_estimates(spec, batch, azimuth, elevation=elevation)
