"""Where descents start: the vector of a covariance model for directions and coupling that something else found."""

import numpy as np
import torch

from doamc.estimators.powers import source_powers
from doamc.scenes.covariance import CovarianceModel


def start_vector(
    model: CovarianceModel,
    covariance: torch.Tensor,  # shape: (B, N, N)
    noise_power: torch.Tensor,  # shape: (B,), known or found (`noise_power_of`)
    azimuth: torch.Tensor,  # shape: (B, S, P), rad
    theta: torch.Tensor,  # shape: (B, S, 2 K)
    elevation: torch.Tensor | None = None,  # shape: (B, S, P), rad, where the array has elevations
) -> torch.Tensor:
    """Vectors x (B, S, D) at S choices of directions and coupling; powers by least squares."""
    b, s, p = azimuth.shape
    noise, wide = noise_power.repeat_interleave(s), covariance.repeat_interleave(s, 0)
    tilt = None if elevation is None else elevation.reshape(-1, p)
    found = source_powers(wide, model.response(azimuth.reshape(-1, p), theta.reshape(b * s, -1), tilt), noise)
    power = np.maximum(found.numpy().reshape(b, s, p), 0.1 * noise_power.numpy()[:, None, None])
    level = np.log(noise.numpy()).reshape(b, s, 1)
    height = [] if elevation is None else [elevation.sin().numpy()]
    return torch.from_numpy(np.concatenate([azimuth.numpy(), *height, np.log(power), theta.numpy(), level], 2))
