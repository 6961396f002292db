"""Beyond which border of the specification a model lies that fits: models have no walls, neither sector nor ranges."""

import math

import torch

from doamc.angles import wrap_rad
from doamc.arrays.extent import extent_of
from doamc.arrays.steering import direction
from doamc.estimators.cause_names import CAUSES
from doamc.estimators.hypotheses import Hypothesis
from doamc.spec import ArraySpec

SLACK_DEG = 0.5  #: beyond a border, which an error of estimation may be


def directions(h: Hypothesis, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Azimuths and elevations (P,) of a model: on the side of its plane that an array looks to."""
    azimuth, p = x[: h.n_sources], h.n_sources
    if not h.n_heights:
        return azimuth, None
    unit = direction(azimuth, x[p : 2 * p])
    array = extent_of(h.spec.positions)
    if array.dimensions < 3:
        middle = [torch.tensor(sum(ends) / 2, dtype=x.dtype) for ends in (h.spec.sector_rad, h.spec.elevation_rad)]
        ahead = array.axes[2] * torch.sign(array.axes[2] @ direction(*middle))
        unit = unit - 2 * (unit @ ahead).clamp_max(0)[:, None] * ahead
    low, high = h.spec.sector_rad
    turn = torch.atan2(unit[:, 1], unit[:, 0])
    return wrap_rad(turn, low if h.spec.full_circle else 0.5 * (low + high) - math.pi), unit[:, 2].clamp(-1, 1).asin()


def which_wall(spec: ArraySpec, azimuth: torch.Tensor, elevation: torch.Tensor | None = None) -> int:
    """Which border of the specification a model lies beyond that fits."""
    low, high = spec.sector_rad
    slack = math.radians(SLACK_DEG)
    if not spec.full_circle and bool(((azimuth < low - slack) | (azimuth > high + slack)).any()):
        return CAUSES.index("outside the sector")
    if spec.elevated and elevation is not None:
        low, high = spec.elevation_rad
        if bool(((elevation < low - slack) | (elevation > high + slack)).any()):
            return CAUSES.index("outside the sector")
    return CAUSES.index("outside the prior")
