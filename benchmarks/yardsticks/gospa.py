"""GOSPA: one number for how far a set of tracks is off the set of emitters.

Rahmathullah, Garcia-Fernandez and Svensson 2017, "Generalized optimal sub-pattern assignment metric", with alpha = 2:
localisation errors of those assigned, and c^p / 2 for every emitter missed and every track too many.
"""

import numpy as np

from doamc.estimates.assignment import assign


def gospa_deg(truth_deg: list[float], found_deg: list[float], cutoff_deg: float = 5.0, p: float = 2.0) -> float:
    """The distance in degrees between two sets of bearings."""
    n, m = len(truth_deg), len(found_deg)
    if not n or not m:
        return float((cutoff_deg**p / 2 * (n + m)) ** (1 / p))
    apart = np.subtract.outer(truth_deg, found_deg)
    cost = np.minimum(np.abs((apart + 180) % 360 - 180), cutoff_deg) ** p
    cost = cost if n <= m else cost.T
    assigned = cost[np.arange(len(cost)), assign(cost)].sum()
    return float((assigned + cutoff_deg**p / 2 * abs(n - m)) ** (1 / p))


def mean_gospa_deg(truth: list[dict[int, float]], found: list[dict[int, float]]) -> float:
    """GOSPA in degrees, mean over slices of {emitter: azimuth_deg} and {track: azimuth_deg}."""
    pairs = zip(truth, found, strict=True)
    return float(np.mean([gospa_deg(list(now.values()), list(tracks.values())) for now, tracks in pairs]))
