"""Shipped arrays whose coupling depends on direction."""

from functools import cache

import torch

from doamc.spec import ArraySpec
from tests.doamc.helpers.scenes import edited_spec

ARRAYS = ["ula8", "uca5", "seed16", "panel16", "dome8"]


@cache
def directional_spec(name: str, order: int, **entries: float) -> ArraySpec:
    """A shipped array with [coupling.directional]."""
    return edited_spec(name, coupling={"directional": {"order": order, **entries}})


def directions(spec, shape=(7, 2)):
    """Azimuths and elevations inside the sector."""
    generator = torch.Generator().manual_seed(4)
    u = torch.rand(2, *shape, dtype=torch.float64, generator=generator)
    (left, right), (low, high) = spec.sector_rad, spec.elevation_rad
    return left + (right - left) * u[0], low + (high - low) * u[1]
