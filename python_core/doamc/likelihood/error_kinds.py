"""Kinds of model error: the ways in which responses go wrong, as linear maps onto the relative error of V.

The response of element n to source p is V_np (1 + e_np). A real array errs in fewer ways than e has entries:

    own        e_np independent: coupling outside the family, near field, patterns
    channel    e_np = e_n, the same for every source: gain and phase behind each element
    position   V = C [a o (1 + j 2 pi (dx_n cos az_p + dy_n sin az_p))], elements out of place; in all three axes where
               there are elevations

Each map takes k independent standard normal numbers to the real and then the imaginary parts of e_np, 2 N P of them,
and is scaled to E|e_np|^2 = 1: what is left to infer is the size (see `model_error`).
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from doamc.coupling.directional import DirectionalFamily
from doamc.likelihood.coordinates import across

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior

PHASE_SHARE = 0.7  #: of E|e|^2 that is phase: 10 deg beside 1 dB, as cables have; a position's error is phase alone
LARGEST_RATIO = 2.0  #: of a coupled part of V_np over V_np: a null of V would blow a relative error up
LEAST_RESPONSE = 1e-12  #: what is divided by in a null


def own_errors(posterior: "ExactPosterior", x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Every entry of V errs by itself: (1, 2 N P, 2 N P)."""
    return _parts(v).repeat_interleave(v.shape[1] * v.shape[2]).diag()[None]


def channel_errors(posterior: "ExactPosterior", x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Gain and phase of every channel: (1, 2 N P, 2 N)."""
    n, p = v.shape[1:]
    size = _parts(v).repeat_interleave(n).diag()
    return size.view(2, n, 1, 2 * n).expand(-1, -1, p, -1).reshape(1, 2 * n * p, 2 * n)


def position_errors(posterior: "ExactPosterior", x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Places of elements along both axes: (B, 2 N P, 2 N); along all three with elevations, (B, 2 N P, 3 N)."""
    amplitude, size, _, azimuth, phase = posterior.coordinates.split(x[:, :, None])
    b, n, p = v.shape
    family = posterior.coordinates.spec.family
    theta = family.from_coordinates(size.transpose(1, 2), phase.transpose(1, 2))[:, 0]
    height = posterior.coordinates.heights(x[:, :, None])
    angle = posterior.phase(azimuth, height)
    a = torch.polar(amplitude.exp()[:, None].expand_as(angle), angle)[..., 0]  # (B, N, P)
    c = family.matrix(theta)[..., None]
    if isinstance(family, DirectionalFamily):
        tilt = 0.0 if height is None else height[..., 0].asin()
        c = family.matrices(theta, azimuth[..., 0], tilt).permute(0, 2, 3, 1)
    ratio = c * a[:, None] / (v[:, :, None] + LEAST_RESPONSE)  # (B, N, N', P)
    size = ratio.abs()
    ratio = ratio * (size.clamp_max(LARGEST_RATIO) / size.clamp_min(LEAST_RESPONSE))
    axes = torch.cat([azimuth.cos(), azimuth.sin()], 2)  # (B, P, 2): cos^2 + sin^2 = 1 is E|e|^2 without coupling
    if height is not None:
        axes = torch.cat([across(height) * axes, height], 2)
    e = 1j * torch.einsum("bnkp,bpa->bnpak", ratio, axes.to(ratio))
    return torch.stack([e.real, e.imag], 1).reshape(b, 2 * n * p, -1)


def _parts(v: torch.Tensor) -> torch.Tensor:
    """Standard deviations (2,) of the real and the imaginary part of an error."""
    return torch.tensor([math.sqrt(1 - PHASE_SHARE), math.sqrt(PHASE_SHARE)], dtype=torch.float64, device=v.device)


#: name -> maps (B or 1, 2 N P, k) for points x (B, d) and V (B, N, P) there
ERROR_KINDS: dict[str, Callable[["ExactPosterior", torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "own": own_errors,
    "channel": channel_errors,
    "position": position_errors,
}
