"""Steering vectors a(az, el) and their derivatives.

a_m(az, el) = exp(+j 2 pi (x_m cos el cos az + y_m cos el sin az + z_m sin el))
"""

import math

import numpy as np
import torch


def steering(
    positions: torch.Tensor,  # shape: (N, 3), wavelengths
    azimuth: torch.Tensor,  # shape: (*batch, P), rad
    elevation: torch.Tensor | float = 0.0,  # shape: (*batch, P) or scalar, rad
) -> torch.Tensor:
    """Steering vectors, shape (*batch, N, P), unit modulus."""
    if isinstance(elevation, torch.Tensor) or elevation:
        phase = 2 * math.pi * torch.einsum("nk,...pk->...np", positions, direction(azimuth, elevation))
    else:
        phase = (2 * math.pi * positions[:, :2]) @ torch.stack([azimuth.cos(), azimuth.sin()], -2)
    return torch.polar(torch.ones_like(phase), phase)


def plain_steering(
    positions: torch.Tensor,  # shape: (N, 3), wavelengths
    azimuth: np.ndarray,  # shape: (B, P), rad
) -> np.ndarray:
    """`steering` at elevation 0 in NumPy, (B, N, P): a few directions take a third of the time."""
    turn = azimuth[:, None]
    phase = (2 * math.pi * positions[:, :2].numpy()) @ np.concatenate([np.cos(turn), np.sin(turn)], 1)
    return np.exp(1j * phase)


def steering_derivative(
    positions: torch.Tensor,  # shape: (N, 3), wavelengths
    azimuth: torch.Tensor,  # shape: (*batch, P), rad
    elevation: torch.Tensor | float = 0.0,  # shape: (*batch, P) or scalar, rad
) -> tuple[torch.Tensor, torch.Tensor]:
    """Derivatives of the steering vectors by azimuth and by elevation (per rad), each (*batch, N, P)."""
    az, el = torch.broadcast_tensors(azimuth, torch.as_tensor(elevation, dtype=azimuth.dtype))
    by_azimuth = torch.stack([-el.cos() * az.sin(), el.cos() * az.cos(), torch.zeros_like(az)], -1)
    by_elevation = torch.stack([-el.sin() * az.cos(), -el.sin() * az.sin(), el.cos()], -1)
    a = steering(positions, az, el)
    slope = [2 * math.pi * torch.einsum("nk,...pk->...np", positions, d) for d in (by_azimuth, by_elevation)]
    return 1j * slope[0] * a, 1j * slope[1] * a


def direction(azimuth: torch.Tensor, elevation: torch.Tensor | float) -> torch.Tensor:
    """Unit vectors (..., 3) towards azimuths and elevations (...), rad."""
    az, el = torch.broadcast_tensors(azimuth, torch.as_tensor(elevation, dtype=azimuth.dtype))
    return torch.stack([el.cos() * az.cos(), el.cos() * az.sin(), el.sin()], -1)
