"""Quantiles of some of the samples of each observation."""

import math
from collections.abc import Sequence

import torch


def quantiles(values: torch.Tensor, member: torch.Tensor, shares: Sequence[float | torch.Tensor]) -> list[torch.Tensor]:
    """Quantiles, each (B, P), of the members (B, n) among values (B, P, n), linearly interpolated.

    shares: of all observations, or of each, (B,).
    """
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


def half_width(
    azimuth: torch.Tensor,  # shape: (B, P, n)
    middle: torch.Tensor,  # shape: (B, P)
    member: torch.Tensor,  # shape: (B, n) bool
    independent: torch.Tensor | None = None,  # shape: (B,)
) -> torch.Tensor:
    """Distance (B, P) from the middle that holds the truth with 90 % probability, the members being its samples.

    independent: as many of them count, as in `level_of`; all where left out.
    """
    return quantiles((azimuth - middle[..., None]).abs(), member, [level_of(0.9, independent)])[0]


def level_of(share: float, independent: torch.Tensor | None) -> float | torch.Tensor:
    """Share of n independent samples below a point that the truth lies below with a given probability.

    A truth and n samples of its posterior are exchangeable: it lies below the k-th smallest with a probability of
    k / (n + 1) ([Wilks-Order]), and that sample has a share of (k - 1/2) / n about it. So few
    samples are further apart than what they are drawn from. independent: n of each observation; None: so many that it
    does not matter.
    """
    return share if independent is None else (share + (share - 0.5) / independent).clamp(0.0, 1.0)
