"""Samples of several sources with one source per row throughout."""

import math

import torch

from doamc.angles import wrap_rad
from doamc.likelihood.coordinates import Coordinates

ROUNDS = 2  #: of turning samples to their centre: the first finds it from one sample, the second from all


def align(azimuth: torch.Tensor, coordinates: Coordinates) -> tuple[torch.Tensor, torch.Tensor]:
    """Azimuths (B, P, n) with one source per row throughout, and the order (B, P, n) that was applied.

    On a sector that is sorting. On a circle a sorted list may be turned by one place from sample to sample; each is
    turned to lie nearest to a common centre and unwrapped around it.
    """
    sorted_azimuth, order = azimuth.sort(1)
    if not coordinates.spec.full_circle:
        return sorted_azimuth, order
    centre = sorted_azimuth[:, :, -1:]
    p = azimuth.shape[1]
    for _ in range(ROUNDS):
        turned = torch.stack([sorted_azimuth.roll(k, 1) for k in range(p)], 1)  # (B, shift, P, n)
        apart = wrap_rad(turned - centre[:, None])
        best = apart.square().sum(2).argmin(1)[:, None, None].expand(-1, 1, p, -1)
        unwrapped = apart.gather(1, best)[:, 0]
        last = centre
        centre = centre + torch.atan2(unwrapped.sin().mean(2, keepdim=True), unwrapped.cos().mean(2, keepdim=True))
    orders = torch.stack([order.roll(k, 1) for k in range(p)], 1)
    return last + unwrapped, orders.gather(1, best)[:, 0]


def aligned(x: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Samples (B, d, n) with their sources in one order and every wrapping coordinate unwrapped around its mean."""
    amplitude, size, noise, azimuth, phase = coordinates.split(x)
    angle, turn = coordinates.split_correlation(x)
    azimuth, order = align(azimuth, coordinates)
    if phase.shape[1] and coordinates.spec.plain_family.phase_rad >= math.pi - 1e-9:
        phase = unwrapped(phase)
    tail = [azimuth, phase] if coordinates.azimuth_first else [phase, azimuth]
    return torch.cat([amplitude.gather(1, order), size, angle, noise, *tail, unwrapped(turn)], 1)


def unwrapped(angle: torch.Tensor) -> torch.Tensor:
    """Angles (B, K, n) in rad within half a turn of their circular mean over the samples."""
    centre = torch.atan2(angle.sin().mean(2, keepdim=True), angle.cos().mean(2, keepdim=True))
    return centre + torch.remainder(angle - centre + math.pi, 2 * math.pi) - math.pi
