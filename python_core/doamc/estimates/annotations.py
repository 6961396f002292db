"""Estimates as annotations of the SigMF recording that they were made from."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.snapshots.atomic import whole_file
from doamc.snapshots.sigmf_files import Recording

GENERATOR = "doamc"


def annotation(message: dict[str, Any], source: dict[str, Any], start: int) -> dict[str, Any]:
    """Annotation of one source of an estimate; its bearing runs clockwise from +x (``spatial`` extension)."""
    told = {
        "core:sample_start": start,
        "core:sample_count": message["snapshots"],
        "core:generator": GENERATOR,
        "core:label": f"{source['azimuth_deg']:.2f} deg",
        "spatial:signal_bearing": {"azimuth": -source["azimuth_deg"] % 360.0},
        "doamc:azimuth_deg": source["azimuth_deg"],
        "doamc:std_deg": source["std_deg"],
        "doamc:power_db": source["power_db"],
        "doamc:method": message["method"],
        "doamc:seq": message["seq"],
    }
    return {key: value for key, value in told.items() if value is not None}


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


def annotate(path: str | Path, messages: Iterable[dict[str, Any]]) -> int:
    """Write estimates into the metadata of a recording, one annotation a source; their number.

    messages: of schema ``doamc.estimate/1``, with the ``sample_time`` of the recording; those beyond its end (of a
    replay that began again) or without a time are left out. What was written so before is replaced, annotations of
    others stay. The file is replaced whole or not at all.
    Raises RecordingError as `open_to_annotate` does.
    """
    recording = open_to_annotate(path)
    made = []
    for message in messages:
        time_s = message.get("sample_time")
        start = None if time_s is None else recording.sample_at(time_s)
        if start is not None and start <= recording.n_samples - message["snapshots"]:
            made += [annotation(message, source, recording.offset + start) for source in message["sources"]]
    metadata = recording.metadata
    others = [a for a in metadata["annotations"] if a.get("core:generator") != GENERATOR]
    metadata["annotations"] = sorted(others + made, key=lambda a: a["core:sample_start"])
    with whole_file(recording.path) as file:
        file.write(json.dumps(metadata, indent=4).encode())
    return len(made)
