"""Posterior samples summed up: medians, intervals, coupling with its spread, and modes apart.

The posterior of a weak scene can have several modes (a bearing that may be in either of two places). A median over
all of it may then lie where nothing is; the estimate published is the median of the heaviest mode, its standard
deviation is that mode's, and the other modes are reported beside it with their shares.
"""

import math
from dataclasses import dataclass

import torch

from doamc.posterior.align import align
from doamc.posterior.chart import NEPER_PER_DB, Chart

NORMAL_90 = 1.6448536269514722  #: half-width of the central 90 % of a normal distribution, in standard deviations

LINK_DEG = 4.0  #: samples closer than this are one mode


@dataclass
class Summary:
    """Figures of B observations with P sources.

    azimuth: (B, P) rad, ascending. std: (B, P) rad, 90 % half-width of the main mode over 1.645 (the standard
    deviation where it is normal). interval: (B, P, 2) rad, central 90 % of the main mode. share: (B,) of the main mode.
    power_db: (B, P). noise_db: (B,), NaN where known. coefficients: (B, K) complex mean; spread: (B, K), r.m.s.
    """

    azimuth: torch.Tensor
    std: torch.Tensor
    interval: torch.Tensor
    share: torch.Tensor
    power_db: torch.Tensor
    noise_db: torch.Tensor
    coefficients: torch.Tensor
    spread: torch.Tensor


def main_mode(azimuth: torch.Tensor, least_radius: float, probes: int = 48) -> torch.Tensor:
    """Samples (B, n) bool that belong to the heaviest mode of aligned azimuths (B, P, n) in rad.

    Probes closer than a radius in every source are linked; the radius is least_radius or three times the typical
    distance to the nearest other probe, so that a broad mode does not fall apart. The mode is the box around the
    linked group that holds the densest probe.
    """
    n = azimuth.shape[2]
    picks = azimuth[:, :, torch.linspace(0, n - 1, min(probes, n)).long()]
    apart = (picks[:, :, :, None] - picks[:, :, None]).abs().amax(1)
    nearest = torch.where(apart > 1e-12, apart, math.inf).amin(2).median(1)[0]
    radius = (3 * nearest.nan_to_num(0.0, posinf=0.0)).clamp_min(least_radius)
    near = (apart < radius[:, None, None]).float()
    seed = near.sum(2).argmax(1)
    linked = near
    for _ in range(4):  # friends of friends, up to 16 links
        linked = (linked @ linked).clamp_max_(1.0)
    group = linked.gather(1, seed[:, None, None].expand(-1, 1, linked.shape[2])) > 0
    margin = 0.5 * radius[:, None]
    low = torch.where(group, picks, math.inf).amin(2) - margin
    high = torch.where(group, picks, -math.inf).amax(2) + margin
    return ((azimuth > low[..., None]) & (azimuth < high[..., None])).all(1)


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


def summarise(x: torch.Tensor, chart: Chart) -> Summary:
    """Summary of samples x (B, d, n) in a chart."""
    amplitude, size, log_noise, azimuth, phase = chart.split(x)
    power_db, noise_db = amplitude / NEPER_PER_DB, log_noise / (2 * NEPER_PER_DB)
    aligned, order = align(azimuth, chart)
    member = main_mode(aligned, math.radians(LINK_DEG))
    middle, low, high = quantiles(aligned, member, [0.5, 0.05, 0.95])
    half = quantiles((aligned - middle[..., None]).abs(), member, [0.9])[0]
    interval = torch.stack([low, high], -1)
    power = power_db.gather(1, order).mean(2)
    c = torch.polar(size.contiguous(), phase.contiguous())
    mean = c.mean(2)
    spread = (c - mean[..., None]).abs().square().mean(2).sqrt()
    noise = noise_db.mean(2)[:, 0] if chart.unknown_noise else torch.full_like(middle[:, 0], math.nan)
    if chart.spec.full_circle:
        start = chart.spec.sector_rad[0]
        turned = torch.remainder(middle - start, 2 * math.pi) + start
        interval = interval + (turned - middle)[..., None]
        middle, place = turned.sort(1)
        half, power = half.gather(1, place), power.gather(1, place)
        interval = interval.gather(1, place[..., None].expand(-1, -1, 2))
    return Summary(
        middle, half / NORMAL_90, interval, member.double().mean(1), power, noise, mean, spread
    )
