"""Bearings of a log, whatever wrote it: JSON lines, CSV, SQLite, one row for each direction that an emitter may have.

What a log tells of a message that is damaged or beyond what a reader takes is left out and counted.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from doamc.angles import bearing_deg
from doamc.errors import RecordingError
from doamc.estimates.bearing_tables import csv_messages, parquet_messages, sqlite_messages
from doamc.estimates.orientation import heading_of
from doamc.estimates.record import read_records
from doamc.protocol import ESTIMATE_SCHEMA, SIGNAL_SCHEMA

SUFFIXES = (".jsonl", ".csv", ".csv.1", ".sqlite", ".db", ".parquet")
#: a direction: message counts within the log; angles in degrees; weight: its share of the message; NaN and -1: not told
ROW = np.dtype(
    [("time", "f8"), ("frequency_hz", "f8"), ("latitude_deg", "f8"), ("longitude_deg", "f8"), ("bearing_deg", "f8"),
     ("std_deg", "f8"), ("weight", "f8"), ("message", "i8"), ("signal", "i8"), ("track", "i8"), ("doubtful", "?")]
)  # fmt: skip
#: of one log, held in memory: 330 MB
MOST_ROWS = 4_000_000
#: deviation of a bearing whose method tells none; greatest that is taken, degrees; that of a central 90 % of 1
UNKNOWN_STD_DEG, MOST_STD_DEG, _STD_OF_INTERVAL = 5.0, 180.0, 0.5 / 1.6448536


@dataclass(frozen=True)
class Station:
    """What is told of a station beside its logs.

    latitude_deg, longitude_deg, heading_deg (of the array's +x axis, true): None where the log is to tell.
    """

    latitude_deg: float | None = None
    longitude_deg: float | None = None
    heading_deg: float | None = None


@dataclass
class BearingLog:
    """Rows of a log, `ROW`; how many of its messages were left out, and why, by the words that say it."""

    rows: np.ndarray
    left_out: dict[str, int] = field(default_factory=dict)


def read_bearing_log(path: str | Path, station: Station) -> BearingLog:
    """Bearings of a log of estimates or signals. Raises RecordingError when it cannot be read, or is no such log."""
    suffix = "." + str(path).lower().removesuffix(".1").rpartition(".")[2]
    if suffix not in SUFFIXES:
        raise RecordingError(f"{path}: expected a log of bearings ({', '.join(SUFFIXES)}), found another file")
    read = {".jsonl": _of_lines, ".csv": csv_messages, ".parquet": parquet_messages}.get(suffix, sqlite_messages)
    left_out = dict[str, int]()
    blocks, rows = list[np.ndarray](), list[tuple[Any, ...]]()
    count = number = 0
    for message in read(path, left_out):
        some = list[tuple[Any, ...]]()
        why: str | None
        try:
            some = list(_directions(message, station))
            why = _missing(some)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            why = "damaged"
        if why is not None:
            left_out[why] = left_out.get(why, 0) + 1
            continue
        rows += [(*row[:7], number, *row[7:]) for row in some]
        number += 1
        if count + len(rows) > MOST_ROWS:
            raise RecordingError(f"{path}: expected at most {MOST_ROWS} directions, found more; cut the log")
        if len(rows) > 1 << 16:
            blocks, count, rows = [*blocks, np.array(rows, ROW)], count + len(rows), []
    return BearingLog(np.concatenate([*blocks, np.array(rows, ROW)]), left_out)


def _missing(rows: list[tuple[Any, ...]]) -> str | None:
    """Why the directions of a message cannot be used, None where they can."""
    if not rows:
        return "without a direction"
    for what, columns in {"without a place of the station": (2, 3), "without a heading": (4,)}.items():
        if any(not math.isfinite(row[k]) for row in rows for k in columns):
            return what
    return None


def _directions(message: dict[str, Any], station: Station) -> Iterator[tuple[Any, ...]]:
    """Rows of a message, as `ROW` without the number of the message. Raises ValueError and its kin on what is none."""
    receiver = message.get("receiver") or {}
    heading = heading_of(message) if station.heading_deg is None else station.heading_deg
    told = station.latitude_deg is not None
    latitude = _number(station.latitude_deg if told else receiver.get("latitude"), -90.0, 90.0)
    longitude = _number(station.longitude_deg if told else receiver.get("longitude"), -180.0, 180.0)
    time, frequency = _number(message.get("time"), 0.0, 253402300799.0), _number(message["frequency_hz"], -1e15, 1e15)
    signal = int(message["id"]) if message["schema"] == SIGNAL_SCHEMA else -1
    doubtful = bool((message.get("fit") or {}).get("doubtful"))
    for azimuth, std, weight, track in _alternatives(message):
        bearing = math.nan if heading is None else bearing_deg(_number(azimuth, -3600.0, 3600.0), heading)
        yield (
            time, frequency, latitude, longitude, bearing, min(max(std, 0.0), MOST_STD_DEG), weight, signal, track,
            doubtful,
        )  # fmt: skip


def _alternatives(message: dict[str, Any]) -> Iterator[tuple[float, float, float, int]]:
    """Azimuth, deviation, weight and track of every direction: of modes where there are several, else of sources."""
    sources, modes = message["sources"] or [], message.get("modes") or []
    if len(modes) > 1:
        total = sum(_number(m["share"], 0.0, 1.0) for m in modes)
        for mode in modes:
            known = [(a, s) for a, s in zip(mode["azimuth_deg"], _padded(mode), strict=True) if a is not None]
            for azimuth, std in known:
                yield float(azimuth), _std(std, None), mode["share"] / total / len(known), -1
        return
    for source in sources:
        track = (source.get("track") or {}).get("id", -1)
        std = _std(source["std_deg"], source.get("interval_deg"))
        yield float(source["azimuth_deg"]), std, 1 / len(sources), int(track)


def _padded(mode: dict[str, Any]) -> list[Any]:
    return mode.get("std_deg") or [None] * len(mode["azimuth_deg"])


def _std(std: Any, interval: Any) -> float:
    """Deviation, degrees: as told, else by the central 90 %, else `UNKNOWN_STD_DEG`."""
    if std is not None:
        return _number(std, 0.0, 1e60)
    if interval and None not in interval:
        return _STD_OF_INTERVAL * _number(interval[1] - interval[0], 0.0, 7200.0)
    return UNKNOWN_STD_DEG


def _number(value: Any, low: float, high: float) -> float:
    """A number within bounds, NaN for None. Raises ValueError or TypeError on another."""
    if value is None:
        return math.nan
    if not low <= (number := float(value)) <= high:
        raise ValueError("beyond bounds")
    return number


def _of_lines(path: str | Path, left_out: dict[str, int]) -> Iterator[dict[str, Any]]:
    def refused(_: object) -> None:
        left_out["damaged"] = left_out.get("damaged", 0) + 1

    for message in read_records(path, refused):
        if message["schema"] in (ESTIMATE_SCHEMA, SIGNAL_SCHEMA):
            yield message
