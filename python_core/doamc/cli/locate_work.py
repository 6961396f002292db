"""What workers do to locate emitters: read a log, locate those of a window. Arguments and results are plain values."""

import math
from typing import Any

import numpy as np

from doamc.errors import SnapshotError
from doamc.estimates.bearing_log import ROW, Station, read_bearing_log

#: rows of all logs: of which station they are, too
ALL_ROWS = np.dtype([*ROW.descr, ("station", "i4")])
#: messages of one frequency and window; alternatives of a message, the likeliest
_MOST_MESSAGES, _MOST_ALTERNATIVES = 100_000, 16
#: outliers among doubtful estimates, at least
_DOUBTFUL = 0.5


def read(task: dict[str, Any]) -> dict[str, Any]:
    """Rows of a log, as bytes, and how many messages were left out by why. task: where, station."""
    log = read_bearing_log(task["where"], Station(**task["station"]))
    return {"rows": log.rows.tobytes(), "left_out": log.left_out}


def locate_window(task: dict[str, Any]) -> dict[str, Any]:
    """Lines of positions of a window. task: settings, names of the stations, rows as bytes, the window's number.

    alone: groups of one frequency that were heard from one place only.
    """
    from doamc.estimates.message import encode
    from doamc.places import locate
    from doamc.places.message import position_messages

    settings = task["settings"]
    lines, alone = list[bytes](), 0
    for rows in _groups(np.frombuffer(task["rows"], ALL_ROWS), settings["spacing"]):
        bearings = _bearing_set(rows, settings, [settings["heading_std"][n] for n in task["names"]])
        emitters = locate(bearings, 1e3 * settings["region"], settings["emitters"])
        alone += not emitters
        times = rows["time"][~np.isnan(rows["time"])]
        span = (float(times.min()), float(times.max())) if len(times) else (None, None)
        frequency = float(np.median(rows["frequency_hz"]))
        told = None if math.isnan(frequency) else frequency
        messages = position_messages(emitters, task["names"], settings["probability"], told, span)
        lines += [encode(message) + b"\n" for message in messages]
    return {"lines": b"".join(lines), "alone": alone}


def _groups(rows: np.ndarray, spacing_hz: float) -> list[np.ndarray]:
    """Rows of each frequency, ascending; those without a frequency last. A gap wider than the spacing divides them."""
    rows = rows[np.argsort(rows["frequency_hz"], kind="stable")]
    gap = np.diff(rows["frequency_hz"])
    known = np.isnan(rows["frequency_hz"])
    return np.split(rows, np.flatnonzero((gap > spacing_hz) | (known[1:] & ~known[:-1])) + 1)


def _bearing_set(rows: np.ndarray, settings: dict[str, Any], heading_std_deg: list[float]) -> Any:
    """Observations of rows, one a message. Raises SnapshotError where there are too many."""
    from doamc.places.bearings import LEAST_STD, BearingSet

    rows = rows[np.lexsort((-rows["weight"], rows["message"], rows["station"]))]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(rows["station"]) != 0) | (np.diff(rows["message"]) != 0)
    number, first = np.cumsum(new) - 1, np.flatnonzero(new)
    if len(first) > _MOST_MESSAGES:
        raise SnapshotError(
            f"expected at most {_MOST_MESSAGES} bearings of a frequency and window, found {len(first)}; cut them with "
            "--window"
        )
    place = np.arange(len(rows)) - first[number]
    kept = place < _MOST_ALTERNATIVES
    shape = (len(first), int(place[kept].max(initial=0)) + 1)

    def table(values: np.ndarray, fill: float) -> np.ndarray:
        made = np.full(shape, fill)
        made[number[kept], place[kept]] = values[kept]
        return made

    weight = table(rows["weight"], 0.0)
    one = rows[first]
    return BearingSet(
        one["station"].astype(np.int64), np.radians(one["latitude_deg"]), np.radians(one["longitude_deg"]),
        np.radians(table(rows["bearing_deg"], 0.0)),
        np.maximum(np.radians(table(rows["std_deg"], 180.0)), LEAST_STD), weight / weight.sum(1, keepdims=True),
        np.maximum(settings["outliers"], np.where(one["doubtful"], _DOUBTFUL, 0.0)), np.radians(heading_std_deg),
    )  # fmt: skip
