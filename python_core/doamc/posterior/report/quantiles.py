"""Quantiles of some of the samples of each observation."""

import math

import torch


def quantiles(values: torch.Tensor, member: torch.Tensor, shares: list[float]) -> list[torch.Tensor]:
    """Quantiles, each (B, P), of the members (B, n) among values (B, P, n), linearly interpolated."""
    ordered = torch.where(member[:, None], values, math.inf).sort(2)[0]
    last = (member.sum(1) - 1).clamp_min(0).to(values.dtype)
    out = []
    for share in shares:
        place = share * last
        below = place.floor().long()
        fraction = (place - below)[:, None]
        pair = torch.stack([below, torch.minimum(below + 1, last.long())], 1)[:, None].expand(-1, values.shape[1], -1)
        low, high = ordered.gather(2, pair).unbind(2)
        out.append(low + fraction * (high - low))
    return out


def half_width(azimuth: torch.Tensor, middle: torch.Tensor, member: torch.Tensor) -> torch.Tensor:
    """Distance (B, P) from middle (B, P) that 90 % of the members (B, n) of azimuth (B, P, n) keep within."""
    return quantiles((azimuth - middle[..., None]).abs(), member, [0.9])[0]
