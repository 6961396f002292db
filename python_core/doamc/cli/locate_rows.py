"""Bearings of all logs, of what is asked for, by windows of time."""

import argparse
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from doamc.cli.locate_work import ALL_ROWS
from doamc.cli.remarks import tell
from doamc.errors import RecordingError
from doamc.estimates.bearing_log import ROW, SUFFIXES

if TYPE_CHECKING:
    from doamc.cluster import Executor
    from doamc.cluster.manifest import Manifest

#: rows of all logs together, held in memory: 1.4 GB
MOST_ROWS = 16_000_000
#: the positions, in a manifest; the number of the window of a run without windows
NAME, _WHOLE = "positions", 0
#: module of the tasks
WORK = "doamc.cli.locate_work"


def station_name(name: str) -> str:
    """Station of a log, by the log's name: the first folder in it, else the name without its ending."""
    first, _, rest = name.partition("/")
    ending = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if first.lower().endswith(s)), "")
    return first if rest else first.removesuffix(ending) if first != ending else first


def stations_of(args: argparse.Namespace, names: list[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """What is told of each station, and the deviation of its heading. Raises RecordingError on one without logs."""
    told: dict[str, Any] = {}
    spread = dict.fromkeys(names, args.heading_std)
    if args.stations:
        from doamc.dashboard.receivers import load_receivers

        for r in load_receivers(args.stations):
            told[r.name] = {"latitude_deg": r.latitude, "longitude_deg": r.longitude, "heading_deg": r.heading_deg}
            if r.heading_std_deg:
                spread[r.name] = r.heading_std_deg
        told = {name: told[name] for name in told if name in names}  # a file of all stations may name others
    for name, latitude, longitude, heading in args.station:
        before = told.get(name, {}).get("heading_deg")
        told[name] = {
            "latitude_deg": latitude, "longitude_deg": longitude,
            "heading_deg": before if heading is None else heading % 360.0,
        }  # fmt: skip
    numbered = {name for name, _ in (*args.signal, *args.track) if name is not None}
    for name in sorted((told.keys() | numbered) - set(names)):
        raise RecordingError(f"expected a station of {', '.join(names[:8])}, found {name}; a log's name is its station")
    return {name: told.get(name, {}) for name in names}, {name: spread[name] for name in names}


def read_logs(
    executor: "Executor", logs: list[tuple[str, str]], names: list[str], stations: dict[str, Any],
    kept: "Manifest | None", failed: list[str],
) -> np.ndarray:  # fmt: skip
    """Rows of all logs, by the order of their names. Raises RecordingError where there are none, or too many."""
    tasks = [{"name": name, "where": where, "station": stations[station_name(name)]} for name, where in logs]
    held, whole, lost = dict[str, np.ndarray](), hashlib.sha256(), dict[str, int]()
    for outcome in executor.run(f"{WORK}:read", tasks):
        name = outcome.task["name"]
        if outcome.failure is not None:
            failure = outcome.failure.removeprefix(f"{outcome.task['where']}: ")  # it begins with the file, as a rule
            failed.append(f"{name}: {failure}")
            if kept is not None:
                kept.set_aside(name, [], outcome.failure)
            continue
        held[name] = np.frombuffer(outcome.result["rows"], ROW)
        for why, count in outcome.result["left_out"].items():
            tell(f"warning: {name}: {count} messages {why}")
            lost[why] = lost.get(why, 0) + count
        if not outcome.result["rows"] and not outcome.result["left_out"]:
            tell(f"warning: {name}: no bearings in it")
        if sum(map(len, held.values())) > MOST_ROWS:
            raise RecordingError(f"expected at most {MOST_ROWS} directions in all logs, found more; locate from fewer")
    rows = np.zeros(sum(map(len, held.values())), ALL_ROWS)
    at = 0
    for name in sorted(held):
        some = rows[at : at + len(held[name])]
        for column in ROW.names or ():
            some[column] = held[name][column]
        some["message"] += at  # numbers of different logs of a station differ
        some["station"] = names.index(station_name(name))
        at += len(some)
        digest = hashlib.sha256(held.pop(name).tobytes()).hexdigest()[:32]
        whole.update(f"{name} {digest}\n".encode())
        if kept is not None:
            kept.looked_at(name, digest)
    if failed and not at:
        more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
        raise RecordingError(f"expected logs with bearings, found none that can be read: {failed[0]}{more}")
    if not at:
        why = ", ".join(f"{count} messages {why}" for why, count in lost.items()) or "none"
        raise RecordingError(
            f"expected bearings with the places of their stations, found {why}; tell places and headings with "
            "--station NAME=LAT,LON,HEADING"
        )
    if kept is not None:
        kept.looked_at(NAME, whole.hexdigest()[:32])
    return rows


def chosen(rows: np.ndarray, settings: dict[str, Any], names: list[str]) -> np.ndarray:
    """Rows that are asked for, by time. Raises RecordingError where there are none, or all are of one place."""
    keep = np.ones(len(rows), dtype=bool)
    if settings["frequency"] is not None:
        keep &= np.abs(rows["frequency_hz"] - settings["frequency"]) <= settings["spacing"]
    for column in ("signal", "track"):
        for s, name in enumerate(names):
            wanted = [number for station, number in settings[column] if station in (None, name)]
            if wanted:
                keep &= (rows["station"] != s) | np.isin(rows[column], wanted)
    if settings["window"] is not None:
        keep &= ~np.isnan(rows["time"])
    rows = rows[keep]
    if not len(rows):
        raise RecordingError("expected bearings of what is asked for, found none; ask for another frequency or number")
    from doamc.places.bearings import distance_m
    from doamc.places.location import STANDING_M

    if distance_m(np.radians(rows["latitude_deg"]), np.radians(rows["longitude_deg"])) < STANDING_M:
        place = f"{rows['latitude_deg'][0]:.5f}, {rows['longitude_deg'][0]:.5f}"
        raise RecordingError(
            f"expected bearings from two places at least, found all of one ({place}), which do not cross; add logs of "
            "another station, or of one that moves"
        )
    return rows[np.argsort(rows["time"], kind="stable")]


def windows_of(rows: np.ndarray, window_s: float | None) -> dict[int, np.ndarray]:
    """Rows of each window by its number: how often its length fits into the Unix time of its beginning."""
    if window_s is None:
        return {_WHOLE: rows}
    numbers = np.floor(rows["time"] / window_s).astype(np.int64)
    some, first = np.unique(numbers, return_index=True)
    return {int(n): part for n, part in zip(some, np.split(rows, first[1:]), strict=True)}
