"""Which files are logs of bearings: not what an earlier run wrote into the same folder."""

import os
import re
from collections.abc import Iterable

from doamc.cli.own_inputs import check_distinct
from doamc.cli.remarks import tell
from doamc.cluster.manifest import SCHEMA as RUN_SCHEMA
from doamc.errors import RecordingError
from doamc.files.remote import is_url, open_lines
from doamc.protocol import POSITION_SCHEMA
from doamc.snapshots.finding import Found

#: names that a run gives; of files far away these alone are looked into, since each takes an answer of its server
_RESULTS = ("positions.jsonl", "manifest.jsonl")
_RUN, _POSITIONS = "the manifest of a run", "positions that doamc locate wrote"
#: beginnings of what runs write
_HEAD = re.compile(
    rb'\s*\{(?:"schema":\s*"(?P<schema>[^"]{1,64})"|"type":\s*"(?P<map>FeatureCollection)")',
)  # fmt: skip
_BYTES = 128


def logs_of(found: Iterable[Found], out: str | None) -> list[Found]:
    """The inputs without results of earlier runs, each of which is told of, but for manifests.

    out: a file for the positions, which may hold earlier ones. Raises RecordingError where it is a log, or where no
    log is left.
    """
    logs, results = list[Found](), list[tuple[Found, str]]()
    for one in found:
        kind = _result(one.where)
        mine = out is not None and not is_url(one.where) and os.path.realpath(one.where) == os.path.realpath(out)
        if mine and (kind is not None or os.path.getsize(one.where) == 0):
            continue
        if kind is None:
            logs.append(one)
        else:
            results.append((one, kind))
    if out is not None:
        check_distinct(out, [one.where for one in logs])
    if not logs:
        what = f"{results[0][0].where}, {results[0][1]}" if results else f"{out} alone, which is to be written"
        raise RecordingError(f"expected logs with bearings, found {what}; name the logs of stations")
    for one, kind in results:
        if kind == _POSITIONS:
            tell(f"{one.name}: passed over, since it holds {kind}")
    return logs


def _result(where: str) -> str | None:
    """What a file is that a run wrote; None of another one, or of one that cannot be read, which is told later."""
    name = where.lower().rpartition("/")[2]
    if not (name in _RESULTS if is_url(where) else name.endswith((".jsonl", ".geojson")) and os.path.isfile(where)):
        return None
    try:
        with open_lines(where) as file:
            head = _HEAD.match(file.read(_BYTES))
    except (OSError, RecordingError):
        return None
    if head is None:
        return None
    if head["map"] or head["schema"] == POSITION_SCHEMA.encode():
        return _POSITIONS
    return _RUN if head["schema"] == RUN_SCHEMA.encode() else None
