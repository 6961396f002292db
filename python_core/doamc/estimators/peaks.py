"""Angular grids and the peaks of a spectrum on them."""

import math
from itertools import combinations

import torch

from doamc.angles import wrap_rad
from doamc.spec import ArraySpec


def azimuth_grid(spec: ArraySpec, step_deg: float) -> torch.Tensor:
    """Azimuths in rad that cover the sector at about step_deg, without the closing point on a full circle."""
    low, high = spec.sector_rad
    n = max(8, round(math.degrees(high - low) / step_deg))
    grid = torch.linspace(low, high, n + 1, dtype=torch.float64)
    return grid[:-1] if spec.full_circle else grid


def highest_peaks(
    spectrum: torch.Tensor,  # shape: (B, G), larger is likelier
    grid: torch.Tensor,  # shape: (G,), rad
    n_peaks: int,
    wraps: bool,
    by_height: bool = False,
) -> torch.Tensor:
    """Azimuths (B, n_peaks) of the highest local maxima, ascending (or highest first), by a parabola.

    The parabola goes through three points of the grid. Where a spectrum has fewer peaks the highest remaining grid
    points fill up.
    """
    before, after = spectrum.roll(1, 1), spectrum.roll(-1, 1)
    peak = (spectrum >= before) & (spectrum > after)
    if not wraps:  # a source at the end of the sector peaks at or beyond the last grid point
        peak[:, 0], peak[:, -1] = spectrum[:, 0] > spectrum[:, 1], spectrum[:, -1] > spectrum[:, -2]
    span = (spectrum.max(1, keepdim=True)[0] - spectrum.min(1, keepdim=True)[0]) + 1.0
    index = torch.where(peak, spectrum, spectrum - span).topk(n_peaks, 1)[1]
    left, mid, right = (s.gather(1, index) for s in (before, spectrum, after))
    bend = left - 2 * mid + right
    inner = peak.gather(1, index) & (bend < 0)
    if not wraps:
        inner &= (index > 0) & (index < grid.numel() - 1)
    shift = torch.where(inner, 0.5 * (left - right) / bend.clamp_max(-1e-300), 0.0)
    azimuth = grid[index] + shift.clamp(-0.5, 0.5) * (grid[1] - grid[0])
    if wraps:
        azimuth = wrap_rad(azimuth, float(grid[0]))
    return azimuth if by_height else azimuth.sort(1)[0]


def peak_sets(n_sources: int, extra: int = 2, most: int = 4) -> list[tuple[int, ...]]:
    """Index sets of P peaks among the P + extra highest, best first by the sum of ranks."""
    sets = sorted(combinations(range(n_sources + extra), n_sources), key=lambda s: (sum(s), s))
    return sets[:most]
