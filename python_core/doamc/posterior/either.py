"""Two answers that a batch cannot tell apart, in one: the first, with intervals that reach the second."""

from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.estimates.assignment import assign
from doamc.estimators.estimates import Estimates
from doamc.estimators.intervals import NORMAL_90


def either(first: Estimates, second: Estimates) -> Estimates:
    """Estimates of one observation under two explanations that are alike; the first alone where numbers differ.

    Sources are paired so that they are as near as can be together. Both answers are among the modes, with half the
    probability each.
    """
    p = int(first.n_sources)
    if p == 0 or int(second.n_sources) != p or first.interval is None or second.interval is None:
        return first
    own, other = first.azimuth[0, :p], second.azimuth[0, :p]
    order = torch.tensor(assign(wrap_rad(own[:, None] - other).square().numpy()))
    shift = wrap_rad(other[order] - own)
    reach = (shift.abs() + NORMAL_90 * second.std[0, order]) / NORMAL_90
    there = second.interval[0, order] + (own + shift - other[order])[:, None]
    std, interval = first.std.clone(), first.interval.clone()
    std[0, :p] = torch.maximum(std[0, :p], reach)
    interval[0, :p, 0] = torch.minimum(interval[0, :p, 0], there[:, 0])
    interval[0, :p, 1] = torch.maximum(interval[0, :p, 1], there[:, 1])
    return first.having(std=std, interval=interval, **_modes(first, second))


def _modes(first: Estimates, second: Estimates) -> dict[str, Any]:
    names = [n for n in ("mode_azimuth", "mode_std", "mode_share") if getattr(first, n) is not None]
    both = {n: torch.cat([getattr(e, n) for e in (first, second)], 1) for n in names}
    if "mode_share" in both:
        most = first.mode_share.shape[1] if first.mode_share is not None else 0
        order = both["mode_share"][0].argsort(descending=True, stable=True)[:most]
        both = {n: value[:, order] for n, value in both.items()}
        both["mode_share"] = both["mode_share"] / 2
    return both
