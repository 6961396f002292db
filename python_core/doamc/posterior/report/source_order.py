"""Samples of several sources with one source per row throughout."""

import math

import torch

from doamc.angles import wrap_rad
from doamc.likelihood.coordinates import Coordinates
from doamc.posterior.report.directions import align_directions

ROUNDS = 2  #: of turning samples to their centre: the first finds it from one sample, the second from all


def align(azimuth: torch.Tensor, coordinates: Coordinates) -> tuple[torch.Tensor, torch.Tensor]:
    """Azimuths (B, P, n) with one source per row throughout, and the order (B, P, n) that was applied.

    On a sector that is sorting. On a circle a sorted list may be turned by one place from sample to sample; each is
    turned to lie nearest to a common centre and unwrapped around it.
    """
    ascending, order = sorted_rows(azimuth)
    if not coordinates.spec.full_circle:
        return ascending, order
    centre = ascending[:, :, -1:]
    for _ in range(ROUNDS):
        unwrapped, shift = nearest_turn(ascending, centre)
        last = centre
        centre = centre + torch.atan2(unwrapped.sin().mean(2, keepdim=True), unwrapped.cos().mean(2, keepdim=True))
    p = azimuth.shape[1]
    if p > 1:
        order = order.gather(1, torch.remainder(torch.arange(p, device=order.device)[:, None] - shift[:, None], p))
    return last + unwrapped, order


def sorted_rows(azimuth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`azimuth.sort(1)` of azimuths (B, P, n); few sources and many samples are sorted by comparing them."""
    p = azimuth.shape[1]
    if p == 1:
        return azimuth, torch.zeros_like(azimuth, dtype=torch.int64)
    if p > 2:
        return azimuth.sort(1)
    first, second = azimuth.unbind(1)
    swapped = (first > second).long()
    ascending = torch.stack([torch.minimum(first, second), torch.maximum(first, second)], 1)
    return ascending, torch.stack([swapped, 1 - swapped], 1)


def nearest_turn(ascending: torch.Tensor, centre: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences (B, P, n) to the centre (B, P, 1) of rows turned by the places (B, n) that fit best, and these."""
    apart = wrap_rad(ascending - centre)
    cost = apart.square().sum(1)
    shift = torch.zeros_like(cost, dtype=torch.int64)
    for k in range(1, ascending.shape[1]):
        turned = wrap_rad(ascending.roll(k, 1) - centre)
        other = turned.square().sum(1)
        better = other < cost
        apart = torch.where(better[:, None], turned, apart)
        cost, shift = torch.where(better, other, cost), shift.masked_fill(better, k)
    return apart, shift


def aligned(x: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Samples (B, d, n) with their sources in one order and every wrapping coordinate unwrapped around its mean."""
    amplitude, size, noise, azimuth, phase = coordinates.split(x)
    angle, turn = coordinates.split_correlation(x)
    if coordinates.spec.elevated:
        found = align_directions(x, coordinates)
        azimuth, order, height = found.azimuth, found.order, [found.elevation.sin()]
    else:
        azimuth, order = align(azimuth, coordinates)
        height = []
    if phase.shape[1] and coordinates.spec.family.phase_rad >= math.pi - 1e-9:
        phase = unwrapped(phase)
    tail = [azimuth, phase] if coordinates.azimuth_first else [phase, azimuth]
    return torch.cat([amplitude.gather(1, order), size, angle, noise, *height, *tail, unwrapped(turn)], 1)


def unwrapped(angle: torch.Tensor) -> torch.Tensor:
    """Angles (B, K, n) in rad within half a turn of their circular mean over the samples."""
    centre = torch.atan2(angle.sin().mean(2, keepdim=True), angle.cos().mean(2, keepdim=True))
    return centre + torch.remainder(angle - centre + math.pi, 2 * math.pi) - math.pi
