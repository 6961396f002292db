"""Posterior samples summed up: medians, intervals, coupling with its deviation, and modes apart.

The posterior of a weak scene can have several modes (a bearing that may be in either of two places). A median over
all of it may then lie where nothing is; the estimate published is the median of the heaviest mode. Its interval is
that of the whole posterior, so that nine truths of ten lie in it whatever the modes, and every mode is reported with
its own share and deviation.
"""

import math
from dataclasses import dataclass

import torch

from doamc.angles import wrap_rad
from doamc.estimators.intervals import NORMAL_90
from doamc.estimators.sphere import ascending
from doamc.likelihood.coordinates import NEPER_PER_DB, Coordinates
from doamc.posterior.report.directions import align_directions
from doamc.posterior.report.modes import LINK_DEG, find_modes, main_mode
from doamc.posterior.report.quantiles import half_width, level_of, quantiles
from doamc.posterior.report.source_order import align


@dataclass
class Summary:
    """What is reported of B observations with P sources.

    azimuth: (B, P) rad, ascending, medians of the main mode. std: (B, P) rad, half-width about them that holds 90 % of
    the posterior over 1.645 (the standard deviation where it is normal). interval: (B, P, 2) rad, its central 90 %.
    mode_azimuth, mode_std (B, M, P) and mode_share (B, M): medians, 90 % half-widths over 1.645 and probabilities of
    the modes, the main one first, NaN and 0 past the last.
    elevation, elevation_std (B, P), elevation_interval (B, P, 2) and mode_elevation (B, M, P): the same of elevations,
    and elevation_correlation (B, P), that of both angles in the main mode; None where the array has none.
    power_db: (B, P). noise_db: (B,), NaN where known. theta: (B, 2 K or K) mean coupling parameters.
    coupling_std: (B, N, N), r.m.s. deviation of the coupling's entries.
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
    elevation: torch.Tensor | None = None
    elevation_std: torch.Tensor | None = None
    elevation_interval: torch.Tensor | None = None
    elevation_correlation: torch.Tensor | None = None
    mode_elevation: torch.Tensor | None = None


def summarise(x: torch.Tensor, coordinates: Coordinates, independent: torch.Tensor | None = None) -> Summary:
    """Summary of samples x (B, d, n); independent: as many (B,) of them count in an interval, as in `level_of`."""
    if coordinates.spec.elevated:
        return _of_both_angles(x, coordinates, independent)
    amplitude, _, log_noise, azimuth, _ = coordinates.split(x)
    power_db, noise_db = amplitude / NEPER_PER_DB, log_noise / (2 * NEPER_PER_DB)
    aligned, order = align(azimuth, coordinates)
    member = main_mode(aligned, math.radians(LINK_DEG))
    everyone, one_mode = torch.ones_like(member), bool(member.all())  # sorting is most of the work: once where it does
    levels = [level_of(share, independent) for share in (0.05, 0.5, 0.95)]
    low, middle, high = quantiles(aligned, everyone, levels)
    middle = middle if one_mode else quantiles(aligned, member, [0.5])[0]
    half = half_width(aligned, middle, everyone, independent)
    interval = torch.stack([low, high], -1)
    power = power_db.gather(1, order).mean(2)
    own = half if one_mode else half_width(aligned, middle, member, independent)
    modes = find_modes(aligned, member, middle, own)
    places, widths = modes.azimuth, modes.half_width
    if coordinates.spec.full_circle:
        start = coordinates.spec.sector_rad[0]
        turned = wrap_rad(middle, start)
        interval = interval + (turned - middle)[..., None]
        middle, place = turned.sort(1)
        half, power = half.gather(1, place), power.gather(1, place)
        interval = interval.gather(1, place[..., None].expand(-1, -1, 2))
        places, turn = wrap_rad(places, start).sort(2)
        widths = widths.gather(2, turn)
    theta, coupling_std = _coupling(x, coordinates)
    return Summary(
        azimuth=middle,
        std=half / NORMAL_90,
        interval=interval,
        mode_azimuth=places,
        mode_std=widths / NORMAL_90,
        mode_share=modes.share,
        power_db=power,
        noise_db=noise_db.mean(2)[:, 0] if coordinates.unknown_noise else torch.full_like(middle[:, 0], math.nan),
        theta=theta,
        coupling_std=coupling_std,
    )


def _of_both_angles(x: torch.Tensor, coordinates: Coordinates, independent: torch.Tensor | None) -> Summary:
    """`summarise` of an array with elevations: modes lie apart on the sphere, sources ascend by azimuth."""
    amplitude, log_noise = (coordinates.split(x)[i] for i in (0, 2))
    found = align_directions(x, coordinates)
    plane = found.plane
    member = main_mode(plane, math.radians(LINK_DEG))
    everyone = torch.ones_like(member)
    low, high = quantiles(plane, everyone, [level_of(share, independent) for share in (0.05, 0.95)])
    middle = quantiles(plane, member, [0.5])[0]
    half = half_width(plane, middle, everyone, independent)
    modes = find_modes(plane, member, middle, half_width(plane, middle, member, independent))
    azimuth, elevation = found.from_plane(middle)
    std, elevation_std = (v / NORMAL_90 for v in found.from_plane(half))
    (left, bottom), (right, top) = found.from_plane(low), found.from_plane(high)
    mode_azimuth, mode_elevation = found.from_plane(modes.azimuth)
    mode_std = found.from_plane(modes.half_width)[0] / NORMAL_90
    power = (amplitude / NEPER_PER_DB).gather(1, found.order).mean(2)
    if coordinates.spec.full_circle:
        start = coordinates.spec.sector_rad[0]
        turned = wrap_rad(azimuth, start)
        left, right = left + turned - azimuth, right + turned - azimuth
        azimuth, mode_azimuth = turned, wrap_rad(mode_azimuth, start)
    tied = _correlation(found.azimuth, found.elevation, member)
    own = azimuth, elevation, std, elevation_std, left, right, bottom, top, power, tied
    azimuth, elevation, std, elevation_std, left, right, bottom, top, power, tied = ascending(*own)
    mode_azimuth, place = mode_azimuth.sort(2)
    theta, coupling_std = _coupling(x, coordinates)
    noise_db = (log_noise / (2 * NEPER_PER_DB)).mean(2)
    return Summary(
        azimuth=azimuth,
        std=std,
        interval=torch.stack([left, right], -1),
        mode_azimuth=mode_azimuth,
        mode_std=mode_std.gather(2, place),
        mode_share=modes.share,
        power_db=power,
        noise_db=noise_db[:, 0] if coordinates.unknown_noise else torch.full_like(azimuth[:, 0], math.nan),
        theta=theta,
        coupling_std=coupling_std,
        elevation=elevation,
        elevation_std=elevation_std,
        elevation_interval=torch.stack([bottom, top], -1),
        elevation_correlation=tied,
        mode_elevation=mode_elevation.gather(2, place),
    )


def _correlation(a: torch.Tensor, b: torch.Tensor, member: torch.Tensor) -> torch.Tensor:
    """Correlation (B, P) of samples a and b (B, P, n), over those that are members (B, n)."""
    share = member[:, None].double()
    share = share / share.sum(2, keepdim=True).clamp_min(1.0)
    a, b = (v - (share * v).sum(2, keepdim=True) for v in (a, b))
    tied, alone, other = ((share * v).sum(2) for v in (a * b, a * a, b * b))
    return (tied / (alone * other).sqrt().clamp_min(1e-300)).clamp(-1.0, 1.0)


def _coupling(x: torch.Tensor, coordinates: Coordinates) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean parameters (B, K') of the coupling, and r.m.s. deviation (B, N, N) of its entries, over samples."""
    _, size, _, _, phase = coordinates.split(x)
    family = coordinates.spec.family
    theta = family.from_coordinates(size.transpose(1, 2), phase.transpose(1, 2))  # (B, n, K')
    return theta.mean(1), coupling_deviation(theta, family.basis.to(theta.device))


def coupling_deviation(
    theta: torch.Tensor,  # shape: (B, n, K')
    basis: torch.Tensor,  # shape: (K', N, N)
) -> torch.Tensor:
    """Root-mean-square deviation (B, N, N) of the entries of C = centre + sum_k theta_k basis_k over samples."""
    centred = theta - theta.mean(1, keepdim=True)
    covariance = centred.mT @ centred / theta.shape[1]
    flat = torch.view_as_real(basis.contiguous()).flatten(1).to(theta)  # (K', 2 N N)
    variance = ((covariance @ flat) * flat).sum(1)
    return variance.view(-1, *basis.shape[1:], 2).sum(-1).clamp_min(0).sqrt()
