"""Where descents start: the vector of a covariance model for directions and coupling that something else found."""

import torch

from doamc.arrays.steering import steering
from doamc.estimators.powers import source_powers
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.noise_level import noise_power_from_eigenvalues


def start_vector(
    model: CovarianceModel,
    covariance: torch.Tensor,  # shape: (B, N, N)
    noise_power: torch.Tensor | None,  # shape: (B,), where known
    azimuth: torch.Tensor,  # shape: (B, S, P), rad
    theta: torch.Tensor,  # shape: (B, S, 2 K)
) -> torch.Tensor:
    """Vectors x (B, S, D) at S choices of directions and coupling; powers by least squares, noise by eigenvalues."""
    b, s, _ = azimuth.shape
    noise = noise_power_from_eigenvalues(covariance, model.n_sources) if noise_power is None else noise_power
    noise, wide = noise.repeat_interleave(s), covariance.repeat_interleave(s, 0)
    azimuth, theta = azimuth.flatten(0, 1), theta.flatten(0, 1)
    response = model.spec.family.matrix(theta) @ steering(model.spec.positions, azimuth)
    power = source_powers(wide, response, noise).clamp_min(0.1 * noise[:, None])
    return model.pack(azimuth, power, theta, noise).unflatten(0, (b, s))
