"""Classical starting scenes from the rank-reduction (RARE) null spectrum.

At high SNR they find the basin of the likelihood almost always.
RARE: Pesavento, Gershman and Wong, IEEE Trans. Signal Processing 50 (2002) 2103-2115; for coupling: Friedlander and
Weiss, IEEE Trans. Antennas and Propagation 39 (1991) 273-284.
"""

import math
from typing import cast

import torch

from doamc.arrays.steering import steering
from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.directional import DirectionalFamily
from doamc.coupling.directional_fit import coupling_of_directions
from doamc.estimators.null_spectrum import NullSpectrum
from doamc.estimators.peaks import highest_peaks, peak_sets
from doamc.estimators.sphere_rare import SphereRare
from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.separation import separate
from doamc.snapshots.noise_level import mean_of_smallest
from doamc.spec import ArraySpec

RIDGE = 1e-9  #: on the Gram matrix of responses, of its mean diagonal: two sources in one place leave it singular
LEAST_POWER = 1e-9  #: linear: nothing less has a logarithm that means anything
ROUNDS = 1  #: between the points of a grid on the sphere: a mode search follows
LEAST_LEAD = 1e-6  #: of a null vector whose first entry is taken for 1: a smaller one is no scale


def rare_points(
    null_spectrum: NullSpectrum | SphereRare, posterior: ExactPosterior, splits: tuple[float, ...] = ()
) -> torch.Tensor:
    """Points (B, d, Q) of the posterior by rank reduction; splits as in `with_pairs`, for azimuths alone."""
    coordinates = posterior.coordinates
    if isinstance(null_spectrum, SphereRare):
        return _sphere_points(null_spectrum, posterior)
    vectors, snapshots = posterior.eigen[1], posterior.snapshots[:, 0]
    spectrum = null_spectrum.of_vectors(vectors, snapshots, coordinates.n_sources).double()
    azimuth, power_db, theta, noise_db = rank_reduction_starts(posterior, spectrum, null_spectrum.grid, splits)
    azimuth = separate(azimuth.transpose(1, 2), coordinates).transpose(1, 2)
    flat, wrapping = (v.transpose(1, 2) for v in coordinates.spec.family.coordinates(theta))
    return coordinates.clip(coordinates.join(power_db, flat, noise_db[:, None], azimuth, wrapping))


def rank_reduction_starts(
    posterior: ExactPosterior,
    spectrum: torch.Tensor,  # shape: (B, G), log of the null spectrum, small where a source is
    grid: torch.Tensor,  # shape: (G,), rad
    splits: tuple[float, ...] = (),
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Azimuth (B, P, Q), power in dB (B, P, Q), coupling parameters (B, Q, K'), noise in dB (B, Q) of Q starts."""
    spec, p = posterior.coordinates.spec, posterior.coordinates.n_sources
    sets = peak_sets(p)
    peaks = ranked_peaks(spectrum, grid, max(max(s) for s in sets) + 1, spec.full_circle)
    azimuth = torch.stack([peaks[:, list(s)].sort(1)[0] for s in sets], 1)  # (B, Q, P)
    if splits and p > 1:
        azimuth = torch.cat([azimuth, with_pairs(peaks, p, math.radians(spec.min_separation_deg), splits)], 1)
    return azimuth.transpose(1, 2), *scenes_at(posterior, azimuth)


def _sphere_points(spectrum: SphereRare, posterior: ExactPosterior) -> torch.Tensor:
    """Points (B, d, Q) with the deepest minima on the sphere for directions."""
    coordinates = posterior.coordinates
    p, sets = coordinates.n_sources, peak_sets(coordinates.n_sources)
    peaks = spectrum.minima(posterior.eigen[1][:, :, -p:], max(max(s) for s in sets) + 1, ROUNDS)
    azimuth, elevation = (torch.stack([v[:, list(s)] for s in sets], 1) for v in peaks)  # (B, Q, P)
    power_db, theta, noise_db = scenes_at(posterior, azimuth, elevation)
    flat, wrapping = (v.transpose(1, 2) for v in coordinates.spec.family.coordinates(theta))
    directions = azimuth.transpose(1, 2), wrapping, None, elevation.transpose(1, 2)
    return coordinates.clip(coordinates.join(power_db, flat, noise_db[:, None], *directions))


def scenes_at(
    posterior: ExactPosterior,
    azimuth: torch.Tensor,  # shape: (B, Q, P), rad
    elevation: torch.Tensor | float = 0.0,  # shape: (B, Q, P), rad
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Power in dB (B, P, Q), coupling parameters (B, Q, K'), noise in dB (B, Q) that go with directions."""
    coordinates, covariance = posterior.coordinates, posterior.covariance
    spec, p = coordinates.spec, coordinates.n_sources
    values, vectors = posterior.eigen
    n = covariance.shape[-1]
    noise = mean_of_smallest(values, p)
    noise_space = vectors[:, :, : n - p]
    projector = (noise_space @ noise_space.mH)[:, None, None]
    positions = spec.positions.to(covariance.device)
    theta = prior_mean(spec, azimuth) if spec.family.narrow else null_vector(coordinates, projector, azimuth, elevation)
    v = spec.family.response(theta, positions, azimuth, elevation)
    gram = v.mH @ v
    q = v.mH @ (covariance - noise[:, None, None] * torch.eye(n, dtype=v.dtype, device=v.device))[:, None] @ v
    level = gram.diagonal(dim1=-2, dim2=-1).real.mean(-1)[..., None, None]
    gram = gram + RIDGE * level * torch.eye(p, dtype=v.dtype, device=v.device)
    left = torch.linalg.solve(gram, q)
    power = torch.linalg.solve(gram, left.mH).diagonal(dim1=-2, dim2=-1).real.clamp_min(LEAST_POWER)
    noise_db = (10 * noise.log10())[:, None].expand(-1, azimuth.shape[1])
    return 10 * power.log10().transpose(1, 2), theta, noise_db


def with_pairs(
    peaks: torch.Tensor,  # shape: (B, M), rad, deepest first
    n_sources: int,
    gap: float,
    splits: tuple[float, ...],
) -> torch.Tensor:
    """Azimuths (B, Q, P) of the P - 1 deepest peaks, one of which is a pair so many times the gap (rad) apart.

    Two sources closer than a beamwidth have one dip of the null spectrum between them.
    """
    sets = []
    for k in range(n_sources - 1):
        for times in splits:
            half = 0.5 * times * gap
            sets.append(torch.cat([peaks[:, : n_sources - 1], peaks[:, k : k + 1] + half], 1))
            sets[-1][:, k] -= half
    return torch.stack([s.sort(1)[0] for s in sets], 1)


def prior_mean(spec: ArraySpec, azimuth: torch.Tensor) -> torch.Tensor:
    """Parameters zero, the mean of a narrow prior, for azimuths (B, Q, P): (B, Q, K).

    A family drawn from physics is far too rich for rank reduction.
    """
    return azimuth.new_zeros(*azimuth.shape[:2], spec.family.n_parameters)


def null_vector(
    coordinates: Coordinates,
    projector: torch.Tensor,  # shape: (B, 1, 1, N, N) on the noise subspace
    azimuth: torch.Tensor,  # shape: (B, Q, P)
    elevation: torch.Tensor | float = 0.0,  # shape: (B, Q, P)
) -> torch.Tensor:
    """Coupling parameters (B, Q, 2 K) of the rank-reduction null vector at given azimuths, in the prior's range."""
    spec = coordinates.spec
    if isinstance(spec.family, DirectionalFamily):
        positions = spec.positions.to(projector.device)
        return coupling_of_directions(spec.family, positions, projector[:, :, 0], azimuth, elevation)
    a = steering(spec.positions.to(projector.device), azimuth, elevation).to(projector.dtype)  # (B, Q, N, P)
    family = cast(CoefficientFamily, spec.family)  # or as a receiver hears it
    basis = family.linear_basis.to(projector)
    t = torch.einsum("kij,bqjp->bqpik", basis, a)
    form = (t.mH @ projector @ t).sum(2)
    vector = torch.linalg.eigh(form)[1][..., 0]  # (B, Q, 1 + K')
    lead = vector[..., :1]
    k = family.n_coefficients
    c = vector[..., 1 : 1 + k] / torch.where(lead.abs() < LEAST_LEAD, torch.ones_like(lead), lead)
    return family.clipped(family.parameters(c))


def ranked_peaks(spectrum: torch.Tensor, grid: torch.Tensor, count: int, wraps: bool) -> torch.Tensor:
    """Azimuths (B, count) of the deepest minima of a null spectrum (B, G), deepest first."""
    peaks = highest_peaks(-spectrum, grid, count, wraps)
    at = torch.searchsorted(grid, peaks.contiguous()).clamp(1, len(grid) - 1)
    depth = torch.minimum(spectrum.gather(1, at), spectrum.gather(1, at - 1))
    return peaks.gather(1, depth.argsort(dim=1, stable=True))
