"""Angular grids and the peaks of a spectrum on them."""

import math
from itertools import combinations

import numpy as np
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
    s, points = spectrum.cpu().numpy(), grid.cpu().numpy()
    peak = np.zeros(s.shape, dtype=bool)
    peak[:, 1:-1] = (s[:, 1:-1] >= s[:, :-2]) & (s[:, 1:-1] > s[:, 2:])
    first, last = s[:, 0], s[:, -1]
    if wraps:
        peak[:, 0], peak[:, -1] = (first >= last) & (first > s[:, 1]), (last >= s[:, -2]) & (last > first)
    else:  # a source at the end of the sector peaks at or beyond the last grid point
        peak[:, 0], peak[:, -1] = first > s[:, 1], last > s[:, -2]
    span = s.max(1, keepdims=True) - s.min(1, keepdims=True) + 1.0
    height = span * ~peak - s  # least where highest
    item, size = np.arange(len(s))[:, None], s.shape[1]
    index = np.argpartition(height, n_peaks - 1, 1)[:, :n_peaks]
    index = index[item, height[item, index].argsort(1, kind="stable")]
    left, mid, right = s[item, index - 1], s[item, index], s[item, (index + 1) % size]
    bend = left - 2 * mid + right
    inner = peak[item, index] & (bend < 0)
    if not wraps:
        inner &= (index > 0) & (index < size - 1)
    shift = np.where(inner, 0.5 * (left - right) / np.minimum(bend, -1e-300), 0.0)
    azimuth = points[index] + np.minimum(np.maximum(shift, -0.5), 0.5) * (points[1] - points[0])
    if wraps:
        azimuth = wrap_rad(azimuth, float(points[0]))
    if not by_height:
        azimuth.sort(1)
    return torch.from_numpy(azimuth).to(spectrum.device)


def peak_sets(n_sources: int, extra: int = 2, most: int = 4) -> list[tuple[int, ...]]:
    """Index sets of P peaks among the P + extra highest, best first by the sum of ranks."""
    sets = sorted(combinations(range(n_sources + extra), n_sources), key=lambda s: (sum(s), s))
    return sets[:most]
