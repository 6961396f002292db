"""A recording while it grows, and how it is finished: by its recorder, or after that was killed.

Until ``X.sigmf-meta`` and ``X.sigmf-data`` get their names, the samples lie in ``X.sigmf-data.part`` and what is known
of them in ``X.sigmf-meta.part``, a journal of JSON lines: ``{"global": ...}`` first, then ``{"capture": ...}``,
``{"annotation": ...}`` and, each after its samples, ``{"samples": how many there are}``. What is beyond does not count.
"""

import json
import os
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.files.atomic import whole_file
from doamc.files.lock import Lock
from doamc.snapshots.sigmf_aperture import aimed


def parts_of(path: Path) -> tuple[Path, Path]:
    """Journal and samples of the recording that is to be at `path`, its metadata."""
    return path.with_name(f"{path.name}.part"), path.with_name(f"{path.stem}.sigmf-data.part")


def frame_bytes(world: dict[str, Any]) -> int:
    """Bytes of one sample of all channels, complex floats, by the global object."""
    return 8 * int(world["core:num_channels"])


def finish(path: Path, target: Path, table: dict[str, Any]) -> None:
    """Give the parts at `path` the names of the recording `target`, metadata first.

    table: ``global``, ``captures``, ``annotations`` and ``samples``, beyond which the data are cut off; that makes the
    room that the metadata take. Raises RecordingError when that fails; the parts are then still there.
    """
    journal, samples = parts_of(path)
    world, count = table["global"], table["samples"]
    captures, annotations = aimed(table["captures"], sorted(table["annotations"], key=lambda a: a["core:sample_start"]))
    try:
        os.truncate(samples, frame_bytes(world) * count)
        with whole_file(target) as file:
            whole = {
                "global": world | {"doamc:sample_count": count},
                "captures": captures,
                "annotations": annotations,
            }
            file.write(json.dumps(whole, indent=1).encode())
        os.replace(samples, target.with_suffix(".sigmf-data"))
        journal.unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(f"cannot write {target}: {error.strerror}") from error


def recover(path: str | Path) -> Path | None:
    """Finish the recording that was to be at `path`, a .sigmf-meta file, when its recorder could not.

    It becomes ``X-torn.sigmf-meta`` (``X-torn-2``, ... when there is one): the samples whose number was written, with
    the captures and annotations that were. Returns its path; None when there was nothing of a recording.
    Raises RecordingError while its recorder lives, or when the parts cannot be read or the files not be written.
    """
    with Lock(path):
        return recover_parts(Path(path))


def recover_parts(path: Path) -> Path | None:
    """`recover`, for who holds the lock already."""
    journal, samples = parts_of(path)
    if not samples.exists():  # never begun, or killed when all but the journal was finished
        journal.unlink(missing_ok=True)
        return None
    table = read_journal(journal)
    world = table["global"]
    if world is None:
        if samples.stat().st_size:
            raise RecordingError(f"{samples}: expected a journal {journal.name} beside it, found none; move it away")
        samples.unlink()
        return None
    table["samples"] = min(table["samples"], samples.stat().st_size // frame_bytes(world))
    if not table["samples"]:
        samples.unlink()
        journal.unlink(missing_ok=True)
        return None
    for name in ("captures", "annotations"):
        table[name] = [part for part in table[name] if part["core:sample_start"] < table["samples"]]
    target = _free(path)
    finish(path, target, table)
    return target


def read_journal(journal: Path) -> dict[str, Any]:
    """What a journal holds, its global object None where there is none; a torn line is passed over."""
    table: dict[str, Any] = {"global": None, "captures": [], "annotations": [], "samples": 0}
    try:
        lines = journal.read_bytes().splitlines() if journal.exists() else []
    except OSError as error:
        raise RecordingError(f"cannot read {journal}: {error.strerror}") from error
    for line in lines:
        try:
            ((kind, value),) = json.loads(line).items()
        except (ValueError, AttributeError):
            continue
        if kind in ("global", "samples"):
            table[kind] = value
        elif kind in ("capture", "annotation"):
            table[f"{kind}s"].append(value)
    return table


def _free(path: Path) -> Path:
    number = 1
    while True:
        name = f"{path.stem}-torn" + (f"-{number}" if number > 1 else "")
        target = path.with_name(f"{name}.sigmf-meta")
        if not target.exists() and not target.with_suffix(".sigmf-data").exists():
            return target
        number += 1
