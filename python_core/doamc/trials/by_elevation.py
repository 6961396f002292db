"""Errors against elevation: sources in bins of their true elevation, of as many of the prior each."""

import math

import torch

from doamc.angles import wrap_rad
from doamc.bounds.crb import CramerRao
from doamc.estimators.estimates import Estimates
from doamc.scenes.accuracy import HIT_DEG, direction_order, great_circle
from doamc.scenes.prior import Scene
from doamc.spec import ArraySpec

BINS = 6
SHARP_DEG = 1.0  #: largest bound of a source whose error counts: hits leave out no large errors then
#: keys of a bin, in the order of a table
COLUMNS = (
    "low_deg", "high_deg", "sources", "hits", "rmse_hit_deg", "bound_deg", "rmse_azimuth_deg", "bound_azimuth_deg",
    "rmse_elevation_deg", "bound_elevation_deg",
)  # fmt: skip


def by_elevation(spec: ArraySpec, scene: Scene, e: Estimates, bound: CramerRao) -> list[dict[str, float | int | None]]:
    """One entry a bin, from low to high: `COLUMNS`.

    sources: their number. hits: share of them within 2 degrees. rmse_*: of hits, as great-circle angles (hit), of
    azimuths times the cosine of elevation, and of elevations. bound_*: root mean squares of bounds, the same for every
    method. Sources whose bound is above a degree, as near the horizon of a flat array, count for `hits` alone. None
    where nothing is left.
    """
    if scene.elevation is None or e.elevation is None or bound.direction is None or bound.elevation is None:
        return []
    true, found = (scene.azimuth, scene.elevation), (e.azimuth.cpu(), e.elevation.cpu())
    order = direction_order(true, found)
    azimuth, elevation = (angle.gather(1, order) for angle in found)
    error, level = great_circle(true, (azimuth, elevation)), scene.elevation.cos()
    hit = error < math.radians(HIT_DEG)  # NaN is no hit
    sharp = bound.direction < math.radians(SHARP_DEG)
    values = {
        "rmse_hit_deg": (error, hit & sharp), "bound_deg": (bound.direction, sharp),
        "rmse_azimuth_deg": (wrap_rad(azimuth - scene.azimuth) * level, hit & sharp),
        "bound_azimuth_deg": (bound.azimuth * level, sharp),
        "rmse_elevation_deg": (elevation - scene.elevation, hit & sharp),
        "bound_elevation_deg": (bound.elevation, sharp),
    }  # fmt: skip
    low, high = (math.sin(angle) for angle in spec.elevation_rad)
    place = ((scene.elevation.sin() - low) / (high - low) * BINS).long().clamp(0, BINS - 1)
    edges = [math.degrees(math.asin(low + (high - low) * k / BINS)) for k in range(BINS + 1)]
    rows: list[dict[str, float | int | None]] = []
    for k in range(BINS):
        here = place == k
        row: dict[str, float | int | None] = {
            "low_deg": edges[k], "high_deg": edges[k + 1], "sources": int(here.sum()),
            "hits": hit[here].double().mean().item() if here.any() else None,
        }  # fmt: skip
        rows.append(row | {key: _rms_deg(value[here & counted]) for key, (value, counted) in values.items()})
    return rows


def _rms_deg(angle: torch.Tensor) -> float | None:
    return angle.rad2deg().square().mean().sqrt().item() if angle.numel() else None
