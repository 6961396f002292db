"""Estimates as annotations of the SigMF recording that they were made from."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doamc.angles import bearing_deg, circle_deg
from doamc.errors import RecordingError
from doamc.estimates.orientation import heading_of
from doamc.files.atomic import whole_file
from doamc.snapshots.sigmf_aperture import aimed
from doamc.snapshots.sigmf_files import Recording

GENERATOR = "doamc"


def annotation(message: dict[str, Any], source: dict[str, Any], start: int) -> dict[str, Any]:
    """Annotation of one source of an estimate, for a person (the label) and for programs.

    ``spatial:signal_bearing`` runs clockwise from the boresight, our +x axis; where that points is of the capture (see
    `doamc.snapshots.sigmf_aperture`).
    """
    azimuth, heading = source["azimuth_deg"], heading_of(message)
    bearing = None if heading is None else bearing_deg(azimuth, heading)
    shown = f"azimuth {azimuth:.2f} deg" if bearing is None else f"bearing {circle_deg(round(bearing, 2)):.2f} deg"
    elevation, direction = source.get("elevation_deg"), {"azimuth": circle_deg(-azimuth)}
    if elevation is not None:
        shown, direction = f"{shown}, elevation {elevation:.2f} deg", direction | {"elevation": elevation}
    told = {
        "core:sample_start": start,
        "core:sample_count": message["snapshots"],
        "core:generator": GENERATOR,
        "core:label": shown,
        "spatial:signal_bearing": direction,
        "doamc:bearing_deg": bearing,
        "doamc:heading_deg": heading,
        "doamc:azimuth_deg": azimuth,
        "doamc:std_deg": source["std_deg"],
        "doamc:elevation_deg": elevation,
        "doamc:elevation_std_deg": source.get("elevation_std_deg"),
        "doamc:power_db": source["power_db"],
        "doamc:method": message["method"],
        "doamc:seq": message["seq"],
    }
    return {key: value for key, value in told.items() if value is not None}


def annotations_of(message: dict[str, Any], recording: Recording) -> list[dict[str, Any]]:
    """Annotations of an estimate, one a source, placed by its ``sample_time``.

    There are none where it has no such time, or one in a gap or beyond the end of the recording, as when a replay
    began again.
    """
    if message.get("sample_time") is None:
        return []
    start = recording.sample_at(message["sample_time"])
    if start is None or start > recording.n_samples - message["snapshots"]:
        return []
    return [annotation(message, source, recording.offset + start) for source in message["sources"]]


def open_to_annotate(path: str | Path) -> Recording:
    """A recording whose metadata can be replaced.

    Raises RecordingError when it cannot be read, does not tell its sample rate, or is an archive.
    """
    recording = Recording(path, verify=False)
    if recording.path.suffix != ".sigmf-meta":
        raise RecordingError(f"{path}: expected a .sigmf-meta file to annotate, found an archive; unpack it")
    if recording.sample_rate_hz is None:
        raise RecordingError(f"{recording.path}: expected a core:sample_rate, found none; add it")
    return recording


def annotate(recording: Recording, annotations: Iterable[dict[str, Any]]) -> None:
    """Write estimates into the metadata of a recording.

    What was written so before is replaced, annotations of others stay; where bearings are known, captures that do not
    tell where the array points are told. The file is replaced whole or not at all.
    Raises RecordingError when it cannot be written.
    """
    metadata = recording.metadata
    others = [a for a in metadata["annotations"] if a.get("core:generator") != GENERATOR]
    captures, ours = aimed(metadata["captures"], list(annotations))
    merged = sorted([*others, *ours], key=lambda a: a["core:sample_start"])
    with whole_file(recording.path) as file:
        file.write(json.dumps(metadata | {"captures": captures, "annotations": merged}, indent=4).encode())
