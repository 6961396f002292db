"""What the network and rank reduction propose, as points inside the prior's support."""

import torch

from doamc.estimators.features import FeatureMap
from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.separation import separate
from doamc.posterior.proposals.rare_starts import rank_reduction_starts
from doamc.posterior.proposals.scene_vector import StateLayout

LEAST_NOISE = 1e-12  #: of an eigenvalue that is taken for a noise power: zero has no logarithm
LEAST_FREEDOM = 0.5  #: snapshots beyond the sources at least, where a number of them is divided by


def network_points(
    layout: StateLayout,
    coordinates: Coordinates,
    z: torch.Tensor,  # shape: (B, S, D), states of the network
    covariance: torch.Tensor,  # shape: (B, N, N)
    snapshots: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """Points (B, d, S); where there are snapshots enough the noise power is that of the small eigenvalues."""
    azimuth, power_db, theta, noise_db = layout.decode(z, coordinates.n_sources)
    flat, wrapping = layout.spec.family.coordinates(theta)
    azimuth = separate(azimuth.sort(-1)[0], coordinates)
    if coordinates.unknown_noise:
        n, p = covariance.shape[-1], coordinates.n_sources
        small = torch.linalg.eigvalsh(covariance)[:, : n - p].mean(1)
        noise = small * snapshots / (snapshots - p).clamp_min(LEAST_FREEDOM)
        plain = 10 * noise.clamp_min(LEAST_NOISE).log10()[:, None].expand_as(noise_db)
        noise_db = torch.where((snapshots >= n)[:, None], plain, noise_db)
    power_db, flat, azimuth, wrapping = (v.transpose(1, 2) for v in (power_db, flat, azimuth, wrapping))
    return coordinates.clip(coordinates.join(power_db, flat, noise_db[:, None], azimuth, wrapping))


def rare_points(
    feature_map: FeatureMap,
    coordinates: Coordinates,
    features: torch.Tensor,  # shape: (B, F)
    covariance: torch.Tensor,  # shape: (B, N, N)
) -> torch.Tensor:
    """Points (B, d, Q) by rank reduction, whose null spectrum the features hold."""
    spectrum = feature_map.null_spectrum(features).double()
    azimuth, power_db, theta, noise_db = rank_reduction_starts(coordinates, spectrum, feature_map.grid, covariance)
    azimuth = separate(azimuth.transpose(1, 2), coordinates).transpose(1, 2)
    flat, wrapping = (v.transpose(1, 2) for v in coordinates.spec.family.coordinates(theta))
    return coordinates.clip(coordinates.join(power_db, flat, noise_db[:, None], azimuth, wrapping))
