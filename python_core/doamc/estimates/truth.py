"""What is true while estimates are made: directions, powers and coupling, from `doamc.truth` messages."""

from typing import Any

import numpy as np

from doamc.angles import great_circle_deg, wrap_deg
from doamc.estimates.assignment import assign


class Truth:
    """Truth over stream time, fed message by message; `truth_files.read_truth` feeds it from a file.

    A truth message, like a truth file, holds ``azimuth_deg`` and ``power_db`` (a list each, emitters in a fixed
    order), ``elevation_deg`` where emitters have one, and the coupling matrix; a message also its ``sample_time`` in s.
    """

    def __init__(self) -> None:
        self._time: list[float] = []
        self._azimuth: list[np.ndarray] = []
        self._elevation: list[np.ndarray | None] = []
        self.power_db: np.ndarray = np.zeros(0)
        self.coupling: np.ndarray | None = None

    def add(self, message: dict[str, Any]) -> None:
        """Take in one message; those that come late or hold no directions change nothing."""
        azimuth = np.asarray(message.get("azimuth_deg") or [], dtype=float)
        time = float(message.get("sample_time") or 0.0)
        if azimuth.size == 0 or (self._time and (time <= self._time[-1] or azimuth.size != self._azimuth[-1].size)):
            return
        told = message.get("elevation_deg")
        elevation = None if told is None else np.asarray(told, dtype=float)
        if elevation is not None and elevation.shape != azimuth.shape:
            return
        self._time.append(time)
        self._azimuth.append(azimuth)
        self._elevation.append(elevation)
        self.power_db = np.asarray(message.get("power_db") or np.full(azimuth.size, np.nan), dtype=float)
        coupling = message.get("coupling") or {"re": message.get("coupling_re"), "im": message.get("coupling_im")}
        if coupling["re"] is not None:
            self.coupling = np.asarray(coupling["re"]) + 1j * np.asarray(coupling["im"])

    @property
    def known(self) -> bool:
        """Whether any truth has come."""
        return bool(self._time)

    def azimuth_deg(self, time: float | np.ndarray) -> np.ndarray:
        """Directions (..., P) at stream times (...), by linear interpolation that does not jump at +-180 deg.

        Beyond the newest truth, which may come a little later than the estimate, the last slope goes on for a second.
        """
        return self._between(np.unwrap(np.stack(self._azimuth), period=360.0, axis=0), time)

    def elevation_deg(self, time: float | np.ndarray) -> np.ndarray | None:
        """Elevations (..., P) at stream times (...), in the same way; None where not every truth tells them."""
        known = [e for e in self._elevation if e is not None]
        if not known or len(known) < len(self._time):
            return None
        return self._between(np.stack(known), time).clip(-90.0, 90.0)

    def _between(self, track: np.ndarray, time: float | np.ndarray) -> np.ndarray:
        knots = np.asarray(self._time)
        if len(knots) > 1:
            slope = (track[-1] - track[-2]) / (knots[-1] - knots[-2])
            track, knots = np.vstack([track, track[-1] + slope]), np.append(knots, knots[-1] + 1.0)
        return np.stack([np.interp(time, knots, column) for column in track.T], -1)


def message_time(message: dict[str, Any]) -> float:
    """Stream time in s at which an estimate's batch began; Unix time for a source that does not tell."""
    return float(message["time"] if message.get("sample_time") is None else message["sample_time"])


def match(
    estimate_deg: np.ndarray, truth_deg: np.ndarray, elevation_deg: np.ndarray | None = None,
    truth_elevation_deg: np.ndarray | None = None,
) -> list[int | None]:  # fmt: skip
    """Index of the true direction that goes with each estimate, None for estimates beyond the number of truths.

    The assignment with the least sum of squared errors: on the circle, or on the sphere where estimates and truths have
    elevations.
    """
    n, p = len(estimate_deg), len(truth_deg)
    if not n or not p:
        return [None] * n
    rows = np.asarray(estimate_deg)[:, None]
    if elevation_deg is None or truth_elevation_deg is None:
        error = wrap_deg(rows - np.asarray(truth_deg))
    else:
        error = great_circle_deg(rows, np.nan_to_num(elevation_deg)[:, None], truth_deg, truth_elevation_deg)
    cost = np.hstack([error**2, np.full((n, max(0, n - p)), 180.0**2)])
    return [k if k < p else None for k in assign(cost)]


def coupling_matrix(message: dict[str, Any]) -> np.ndarray | None:
    """Coupling matrix (N, N) of an estimate; None where the method gives none."""
    c = message.get("coupling")
    return None if c is None else np.asarray(c["re"]) + 1j * np.asarray(c["im"])


def coupling_error_db(estimate: np.ndarray | None, truth: np.ndarray | None) -> float:
    """Squared Frobenius error over the truth's squared norm, dB; NaN where either is not known.

    Both are scaled to mean diagonal 1 first: a common factor of C cannot be told from the source powers.
    """
    if estimate is None or truth is None or estimate.shape != truth.shape:
        return float("nan")
    e, c = (m / np.trace(m) * len(m) for m in (estimate, truth))
    return float(10 * np.log10(max((np.abs(e - c) ** 2).sum() / (np.abs(c) ** 2).sum(), 1e-30)))
