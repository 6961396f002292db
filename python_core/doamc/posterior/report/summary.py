"""Posterior samples summed up: medians, intervals, coupling with its spread, and modes apart.

The posterior of a weak scene can have several modes (a bearing that may be in either of two places). A median over
all of it may then lie where nothing is; the estimate published is the median of the heaviest mode. Its interval is
that of the whole posterior, so that nine truths of ten lie in it whatever the modes, and every mode is reported with
its own share and spread.
"""

import math
from dataclasses import dataclass

import torch

from doamc.estimators.intervals import MODES, NORMAL_90
from doamc.likelihood.coordinates import NEPER_PER_DB, Chart
from doamc.posterior.report.source_order import align

LINK_DEG = 4.0  #: samples closer than this are one mode


LEAST_SHARE = 0.02  #: of a mode that is reported


@dataclass
class Summary:
    """Figures of B observations with P sources.

    azimuth: (B, P) rad, ascending, medians of the main mode. std: (B, P) rad, half-width about them that holds 90 % of
    the posterior over 1.645 (the standard deviation where it is normal). interval: (B, P, 2) rad, its central 90 %.
    mode_azimuth, mode_std (B, M, P) and mode_share (B, M): medians, 90 % half-widths over 1.645 and probabilities of
    the modes, the main one first, NaN and 0 past the last.
    power_db: (B, P). noise_db: (B,), NaN where known. theta: (B, 2 K or K) mean coupling parameters.
    coupling_std: (B, N, N), r.m.s. spread of the coupling's entries.
    """

    azimuth: torch.Tensor
    std: torch.Tensor
    interval: torch.Tensor
    mode_azimuth: torch.Tensor
    mode_std: torch.Tensor
    mode_share: torch.Tensor
    power_db: torch.Tensor
    noise_db: torch.Tensor
    theta: torch.Tensor
    coupling_std: torch.Tensor


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
    everyone, one_mode = torch.ones_like(member), bool(member.all())  # sorting is most of the work: once where it does
    low, middle, high = quantiles(aligned, everyone, [0.05, 0.5, 0.95])
    middle = middle if one_mode else quantiles(aligned, member, [0.5])[0]
    half = half_width(aligned, middle, everyone)
    interval = torch.stack([low, high], -1)
    power = power_db.gather(1, order).mean(2)
    family = chart.spec.family
    theta = family.from_coordinates(size.transpose(1, 2), phase.transpose(1, 2))  # (B, n, K')
    noise = noise_db.mean(2)[:, 0] if chart.unknown_noise else torch.full_like(middle[:, 0], math.nan)
    own = half if one_mode else half_width(aligned, middle, member)
    places, widths, shares = modes(aligned, member, middle, own)
    if chart.spec.full_circle:
        start = chart.spec.sector_rad[0]
        turned = torch.remainder(middle - start, 2 * math.pi) + start
        interval = interval + (turned - middle)[..., None]
        middle, place = turned.sort(1)
        half, power = half.gather(1, place), power.gather(1, place)
        interval = interval.gather(1, place[..., None].expand(-1, -1, 2))
        places, turn = (torch.remainder(places - start, 2 * math.pi) + start).sort(2)
        widths = widths.gather(2, turn)
    spread = coupling_spread(theta, family.basis.to(theta.device))
    return Summary(
        middle, half / NORMAL_90, interval, places, widths / NORMAL_90, shares, power, noise, theta.mean(1), spread
    )


def half_width(azimuth: torch.Tensor, middle: torch.Tensor, member: torch.Tensor) -> torch.Tensor:
    """Distance (B, P) from middle (B, P) that 90 % of the members (B, n) of azimuth (B, P, n) keep within."""
    return quantiles((azimuth - middle[..., None]).abs(), member, [0.9])[0]


def modes(
    azimuth: torch.Tensor,  # shape: (B, P, n), aligned
    main: torch.Tensor,  # shape: (B, n) bool, members of the main mode
    middle: torch.Tensor,  # shape: (B, P), its median
    own: torch.Tensor,  # shape: (B, P), its 90 % half-width
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Medians and 90 % half-widths (B, M, P) and shares (B, M) of the main mode and of those apart from it.

    The share of the main mode counts what lies in none of the others, so that shares sum to one.
    """
    b, p, n = azimuth.shape
    places = azimuth.new_full((b, MODES, p), math.nan)
    widths, shares = places.clone(), azimuth.new_zeros(b, MODES)
    places[:, 0], widths[:, 0] = middle, own
    left = ~main
    for i in range(1, MODES):
        some = (left.double().mean(1) > LEAST_SHARE).nonzero()[:, 0]
        if not len(some):
            break
        for item in some.tolist():  # rare: most posteriors have one mode
            rest = azimuth[item : item + 1][:, :, left[item]]
            member = main_mode(rest, math.radians(LINK_DEG))
            place = quantiles(rest, member, [0.5])[0][0]
            share = float(member.sum()) / n
            if share > LEAST_SHARE and bool(((place - places[item, :i]).abs().amax(1) > math.radians(LINK_DEG)).all()):
                places[item, i], shares[item, i] = place, share
                widths[item, i] = half_width(rest, place[None], member)[0]
            left[item, left[item].nonzero()[member[0], 0]] = False
    shares[:, 0] = 1 - shares.sum(1)
    return places, widths, shares


def coupling_spread(
    theta: torch.Tensor,  # shape: (B, n, K')
    basis: torch.Tensor,  # shape: (K', N, N)
) -> torch.Tensor:
    """Root-mean-square spread (B, N, N) of the entries of C = centre + sum_k theta_k basis_k over samples."""
    centred = theta - theta.mean(1, keepdim=True)
    covariance = centred.mT @ centred / theta.shape[1]
    flat = torch.view_as_real(basis.contiguous()).flatten(1).to(theta)  # (K', 2 N N)
    variance = ((covariance @ flat) * flat).sum(1)
    return variance.view(-1, *basis.shape[1:], 2).sum(-1).clamp_min(0).sqrt()
