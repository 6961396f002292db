"""The angles of a run as they are drawn: bearings where every estimate tells how the array stood, else azimuths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.angles import circle_deg
from doamc.figures.run import STRAY, Run


@dataclass(frozen=True)
class Shown:
    """label: of the axis. points_deg: (n,), of the points of the run. truth_deg: (K, P), at the times of its readings.

    Tracks with a truth do not jump by a turn: bearings then lie about the truth's, which may leave 0 to 360.
    """

    label: str
    points_deg: NDArray[np.float64]
    truth_deg: NDArray[np.float64]


def shown(run: Run) -> Shown:
    """Angles of a run."""
    points, truth = run.points, run.true_azimuth_deg()
    if run.heading_deg is None:
        return Shown("azimuth from +x (deg)", points.azimuth_deg, truth)
    truth = run.heading_deg[:, None] - truth
    turn = 360.0 * np.floor(np.median(truth, axis=0) / 360.0)
    angle = points.heading_deg - points.azimuth_deg  # against the sense of the azimuth: docs/bearings.md
    beside = run.truth.known & (points.number != STRAY)
    if beside.any():
        angle[beside] -= turn[points.number[beside]]
    angle[~beside] = circle_deg(angle[~beside])
    return Shown("bearing from true north (deg)", angle, truth - turn)
