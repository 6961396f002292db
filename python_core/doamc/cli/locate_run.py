"""Logs of bearings, read and located wherever workers are: a task is a log, then a window of time."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doamc import __version__
from doamc.cli.locate_inputs import logs_of
from doamc.cli.locate_rows import NAME, WORK, chosen, read_logs, station_name, stations_of, windows_of
from doamc.cli.remarks import tell
from doamc.estimates.bearing_log import SUFFIXES

if TYPE_CHECKING:
    from doamc.cluster import Executor
    from doamc.cluster.manifest import Manifest


def locate_logs(args: argparse.Namespace, folder: bool, form: str) -> int:
    """Locate; 1 where anything was set aside. folder: whether OUT is one. form: of the positions.

    Raises RecordingError where there is nothing to locate from, or the results cannot be written.
    """
    from doamc.cli.cluster_options import usable_cores, workers_of
    from doamc.cluster import open_executor
    from doamc.cluster.manifest import Manifest
    from doamc.files.atomic import check_output
    from doamc.snapshots.finding import find_inputs

    found = find_inputs(args.inputs, args.include, args.out if folder else None, SUFFIXES)
    found = logs_of(found, None if folder else args.out)
    names = sorted({station_name(f.name) for f in found})
    stations, spread = stations_of(args, names)
    settings = {
        "version": __version__, "stations": stations, "heading_std": spread, "format": form,
        **{k: getattr(args, k) for k in ("frequency", "spacing", "signal", "track", "window", "emitters", "outliers",
                                         "region", "probability")},
    }  # fmt: skip
    if not folder:
        check_output(args.out)
    with ExitStack() as stack:
        kept = stack.enter_context(Manifest(args.out, settings)) if folder else None
        executor = stack.enter_context(open_executor(workers_of(args, usable_cores() if folder else 0)))
        failed = list[str]()
        rows = read_logs(executor, [(f.name, f.where) for f in found], names, stations, kept, failed)
        unread = _tell_set_aside(failed)  # before what is left of the logs may be refused
        heard = len(np.unique(rows["station"]))
        path = Path(args.out) / f"{NAME}.{form}" if folder else Path(args.out)
        if kept is not None and NAME in kept.done and path.is_file() and not failed:
            print(f"{args.out}: {path.name} was complete, of {heard} stations")
            return 0
        windows = windows_of(chosen(rows, settings, names), args.window)
        lines, alone = _locate(executor, windows, settings, names, kept, failed)
        positions, endless = _write(path, form, lines)
        if kept is not None and not failed:
            kept.finish(NAME, path.name)
    print(f"{args.out}: {positions} positions, {heard} stations, {len(windows)} windows")
    if endless:
        tell(f"warning: {endless} of {positions} positions without a range: bearings are parallel, or disagree")
    if alone:
        tell(f"warning: {alone} times a frequency was heard from one place only, and not located")
    _tell_set_aside(failed[unread:])
    return 1 if failed else 0


def _tell_set_aside(failed: list[str]) -> int:
    for line in failed:
        tell(f"set aside: {line}")
    return len(failed)


def _locate(
    executor: "Executor", windows: dict[int, np.ndarray], settings: dict[str, Any], names: list[str],
    kept: "Manifest | None", failed: list[str],
) -> tuple[dict[int, bytes], int]:  # fmt: skip
    """Lines of each window, and how many groups were heard from one place only."""
    from tqdm import tqdm

    done = {} if kept is None else {n: data for n, data in kept.read_parts(NAME) if n in windows}

    def tasks() -> Iterator[dict[str, Any]]:
        for number, rows in windows.items():
            if number not in done:
                yield {"settings": settings, "names": names, "number": number, "rows": rows.tobytes()}

    lines, alone = dict(done), 0
    with tqdm(total=len(windows), initial=len(done), unit="window", disable=None, leave=False) as bar:
        for outcome in executor.run(f"{WORK}:locate_window", tasks()):
            bar.update()
            number = outcome.task["number"]
            if outcome.failure is not None:
                begins = "" if settings["window"] is None else f"window from {number * settings['window']:.0f} s: "
                failed.append(f"{begins}{outcome.failure}")
                if kept is not None:
                    kept.set_aside(NAME, [number], outcome.failure)
                continue
            lines[number] = outcome.result["lines"]
            alone += outcome.result["alone"]
            if kept is not None:
                kept.add_part(NAME, number, lines[number])
    return lines, alone


def _write(path: Path, form: str, lines: dict[int, bytes]) -> tuple[int, int]:
    """Write positions in the order of their windows; how many there are, and how many without a range."""
    import json

    from doamc.files.atomic import whole_file
    from doamc.places.geojson import geojson

    count = endless = 0

    def positions() -> Iterator[dict[str, Any]]:
        nonlocal count, endless
        for number in sorted(lines):
            for line in lines[number].splitlines():
                position = json.loads(line)
                count, endless = count + 1, endless + (not position["bounded"])
                yield position

    with whole_file(path) as file:
        if form == "geojson":
            file.writelines(geojson(positions()))
        else:
            for _ in positions():
                pass
            file.writelines(lines[number] for number in sorted(lines))
    return count, endless
