"""``doamc compare`` on workers, and in a folder that keeps what is done."""

import argparse
import json
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from doamc import __version__
from doamc.errors import RecordingError

if TYPE_CHECKING:
    from doamc.cluster import Workers
    from doamc.cluster.manifest import Manifest
    from doamc.spec import ArraySpec

#: the results in the folder, and the name of their parts
_FILE, _PARTS = "compare.json", "rows"


def compare_many(
    args: argparse.Namespace, spec: "ArraySpec", methods: list[str], workers: "Workers", setting: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows, and why others are not there. setting: what stands beside the rows of a result.

    Raises RecordingError where the folder cannot be written, or holds something else.
    """
    from doamc.cluster import open_executor
    from doamc.cluster.manifest import Manifest
    from doamc.files.atomic import check_folder, whole_file
    from doamc.trials.sweep import compare_on

    array = os.path.abspath(args.array) if os.path.isfile(args.array) else args.array
    scenes = (args.snr_db, args.sources, args.snapshots, args.trials, args.waveform, args.seed, args.device)
    with ExitStack() as stack:
        kept: Manifest | None = None
        if args.out is not None:
            check_folder(args.out)
            told = {"version": __version__, "array_digest": spec.digest, "methods": methods, "snr_db": args.snr_db}
            kept = stack.enter_context(Manifest(args.out, setting | told | {"array": array, "device": args.device}))
        known = {} if kept is None else _known(kept)
        executor = stack.enter_context(open_executor(workers))
        if kept is None:
            return compare_on(executor, array, methods, *scenes)
        rows, failed = compare_on(
            executor, array, methods, *scenes, known, lambda k, row: kept.add_part(_PARTS, k, json.dumps(row).encode())
        )
        for line in failed:
            kept.set_aside(_PARTS, [], line)
        with whole_file(kept.folder / _FILE) as file:
            file.write(json.dumps(setting | {"rows": rows}, indent=1).encode() + b"\n")
        if not failed:
            kept.finish(_PARTS, _FILE)
        return rows, failed


def _known(kept: "Manifest") -> dict[int, dict[str, Any]]:
    """Rows that are there, by their places."""
    path = kept.folder / _FILE
    try:
        if _PARTS in kept.done and path.is_file():
            return dict(enumerate(json.loads(path.read_bytes())["rows"]))
        return {k: json.loads(data) for k, data in kept.read_parts(_PARTS)}
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"{kept.folder}: expected rows of a comparison, found others ({error}); remove it"
        ) from None
