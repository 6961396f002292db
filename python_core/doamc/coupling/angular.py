"""Functions of azimuth that a response depending on direction is made of, and steering vectors extended by them."""

import torch

from doamc.arrays.steering import steering


def angular_functions(azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """1, cos az, sin az, cos 2az, ...: azimuth (...) -> (J, ...)."""
    out = [torch.ones_like(azimuth)]
    for h in range(1, (n_blocks + 1) // 2):
        out += [(h * azimuth).cos(), (h * azimuth).sin()]
    return torch.stack(out)


def angular_slopes(azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """Derivatives of the angular functions by azimuth: (...) -> (J, ...)."""
    out = [torch.zeros_like(azimuth)]
    for h in range(1, (n_blocks + 1) // 2):
        out += [-h * (h * azimuth).sin(), h * (h * azimuth).cos()]
    return torch.stack(out)


def extended_steering(
    positions: torch.Tensor, azimuth: torch.Tensor, n_blocks: int, elevation: torch.Tensor | float = 0.0
) -> torch.Tensor:
    """a_ext(az, el): azimuth, and elevation, (..., P) -> (..., J N, P); the functions are those of azimuth."""
    a = steering(positions, azimuth, elevation).to(torch.complex128)
    return torch.cat([a * g[..., None, :] for g in angular_functions(azimuth, n_blocks)], -2)
