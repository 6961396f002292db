"""The signals of a capture of many: its parts in their order, as one file."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doamc.cli.archive_checks import spec_of
from doamc.cluster.manifest import Manifest
from doamc.errors import SnapshotError
from doamc.files.atomic import whole_file


def write_result(
    path: Path, manifest: Manifest, settings: dict[str, Any], name: str, where: str, told: dict[str, Any]
) -> None:
    """Write the signals of a capture whose parts are all there.

    where: the capture. told: what was said of it when it was looked at. Raises RecordingError when it cannot be
    written, SnapshotError where a part cannot be read.
    """
    parts = _parts(manifest, name)
    if settings["format"] == "jsonl":
        with whole_file(path) as file:
            for _, lines in parts:
                file.write(lines)
        return
    from doamc.estimates.signal_table import SignalTable

    made = {"settings": settings, "array": spec_of(settings).table, "input": {"name": name, "where": where} | told}
    with whole_file(path) as file, SignalTable(file, made) as table:
        for first, lines in parts:
            table.append(lines, first)


def _parts(manifest: Manifest, name: str) -> Iterator[tuple[int, bytes]]:
    for first, data in manifest.read_parts(name):
        try:
            yield first, zlib.decompress(data)
        except zlib.error as error:
            raise SnapshotError(f"a part of {name} is damaged ({error})") from error
