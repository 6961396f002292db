"""Modes of posterior samples: places apart from each other where the directions may be."""

import math
from dataclasses import dataclass

import torch

from doamc.estimators.intervals import MOST_MODES
from doamc.posterior.report.quantiles import half_width, quantiles

LINK_DEG = 4.0  #: samples closer than this are one mode
LEAST_SHARE = 0.02  #: of a mode that is reported
PROBES = 48  #: samples that are compared with each other: all of them would take long, and say no more
LINKS = 3.0  #: times the typical distance to the nearest probe: neighbours within so much are linked
DOUBLINGS = 4  #: of the length of a chain of links that is followed: up to 16
SAME = 1e-12  #: rad; closer probes are copies of one state of a chain


@dataclass(frozen=True)
class SampleModes:
    """Medians azimuth and 90 % half-widths (B, M, P) in rad and shares (B, M) of modes, NaN and 0 past the last."""

    azimuth: torch.Tensor
    half_width: torch.Tensor
    share: torch.Tensor


def main_mode(azimuth: torch.Tensor, least_radius: float) -> torch.Tensor:
    """Samples (B, n) bool that belong to the heaviest mode of aligned azimuths (B, P, n) in rad.

    Probes closer than a radius in every source are linked; the radius is least_radius or three times the typical
    distance to the nearest other probe, so that a broad mode does not fall apart. The mode is the box around the
    linked group that holds the densest probe.
    """
    n = azimuth.shape[2]
    picks = azimuth[:, :, torch.linspace(0, n - 1, min(PROBES, n), dtype=torch.float32).long()]
    apart = (picks[:, :, :, None] - picks[:, :, None]).abs().amax(1)
    nearest = torch.where(apart > SAME, apart, math.inf).amin(2).median(1)[0]
    radius = (LINKS * nearest.nan_to_num(0.0, posinf=0.0)).clamp_min(least_radius)
    near = (apart < radius[:, None, None]).float()
    seed = near.sum(2).argmax(1)
    linked = near
    for _ in range(DOUBLINGS):
        linked = (linked @ linked).clamp_max_(1.0)
    group = linked.gather(1, seed[:, None, None].expand(-1, 1, linked.shape[2])) > 0
    margin = 0.5 * radius[:, None]
    low = torch.where(group, picks, math.inf).amin(2) - margin
    high = torch.where(group, picks, -math.inf).amax(2) + margin
    return ((azimuth > low[..., None]) & (azimuth < high[..., None])).all(1)


def find_modes(
    azimuth: torch.Tensor,  # shape: (B, P, n), aligned
    main: torch.Tensor,  # shape: (B, n) bool, members of the main mode
    middle: torch.Tensor,  # shape: (B, P), its median
    own: torch.Tensor,  # shape: (B, P), its 90 % half-width
) -> SampleModes:
    """The main mode, and those apart from it.

    The share of the main mode counts what lies in none of the others, so that shares sum to one.
    """
    b, p, n = azimuth.shape
    places = azimuth.new_full((b, MOST_MODES, p), math.nan)
    widths, shares = places.clone(), azimuth.new_zeros(b, MOST_MODES)
    places[:, 0], widths[:, 0] = middle, own
    left = ~main
    for i in range(1, MOST_MODES):
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
    return SampleModes(places, widths, shares)
