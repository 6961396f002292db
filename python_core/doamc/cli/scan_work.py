"""What workers do for a scan of many captures: say of a capture what it is, and scan some of its sections.

A capture is one section unless its user cuts it: a scan learns on its way (the noise floor, the coupling of the array,
who is who), and a signal that lasts is one signal, so results depend on where it begins. Sections are therefore part of
what is asked for, never of how the work is shared out. Arguments and results are plain values and bytes.
"""

import argparse
import json
import math
import time
import zlib
from functools import lru_cache
from typing import Any

from doamc.cli.archive_checks import check_digest, spec_of
from doamc.cli.archive_settings import shared_settings
from doamc.cli.scan_capture import CaptureScan, ScanOptions
from doamc.cluster.devices import own_device
from doamc.errors import EstimatorError, RecordingError
from doamc.snapshots.captures import is_capture, open_capture
from doamc.snapshots.digest import input_digest
from doamc.snapshots.raw_files import RawForm
from doamc.snapshots.section import Section
from doamc.snapshots.segments import Capture

#: bytes of lines that a section may have; they are held in memory
MOST_BYTES = 1 << 28


def scan_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that options of ``doamc scan`` ask for; errors as of `archive_settings`."""
    from doamc.spec import load_spec

    if args.annotate:
        raise EstimatorError("expected one capture beside --annotate, found many; scan them one by one")
    settings = shared_settings(args)
    options = ScanOptions.of(args, load_spec(settings["array"], tunable=True)).table
    return settings | options | {"method": settings["method"], "section": args.section}


def index(task: dict[str, Any]) -> dict[str, Any]:
    """What a capture is: its length and that of its sections in whole s, its digest, remarks. task: settings, where."""
    capture, settings = _capture(task["settings"], task["where"], True), task["settings"]
    rate = capture.sample_rate_hz
    if rate is None:
        raise RecordingError(f"{task['where']}: expected a sample rate, found none; tell it with --sample-rate")
    seconds = math.ceil(capture.n_samples / rate)
    return {
        "count": seconds, "chunk": min(settings["section"] or seconds, seconds), "digest": input_digest(capture),
        "remarks": CaptureScan(spec_of(settings), capture, _options(settings)).remarks,
        "sample_rate_hz": rate, "samples": capture.n_samples,
    }  # fmt: skip


def chunks(task: dict[str, Any]) -> dict[str, Any]:
    """Lines of sections of a capture: task names settings, where, digest and chunks, the seconds where they begin.

    Of each its lines, compressed; seconds: how long it all took.
    """
    import torch

    from doamc.estimates.message import encode

    begin = time.monotonic()
    torch.set_num_threads(1)
    settings = task["settings"]
    whole = _opened(json.dumps(settings, sort_keys=True), task["where"], task["digest"])
    done, remarks = [], list[str]()
    for first in task["chunks"]:
        lines, size = [], 0
        scan = CaptureScan(spec_of(settings), _section(whole, first, settings["section"]), _options(settings))
        for message in scan.messages():
            lines.append(encode(message) + b"\n")
            size += len(lines[-1])
            if size > MOST_BYTES:
                raise RecordingError(
                    f"{task['where']}: expected at most {MOST_BYTES >> 20} MiB of signals from {first} s on, found "
                    "more; cut it with a shorter --section, or raise --threshold"
                )
        done.append({"first": first, "data": zlib.compress(b"".join(lines))})
        remarks += [f"{task['where']}: {line}" for line in scan.artefacts]
    return {"chunks": done, "remarks": list(dict.fromkeys(remarks)), "seconds": time.monotonic() - begin}


def _options(settings: dict[str, Any]) -> ScanOptions:
    options = {k: v for k, v in settings.items() if k in ScanOptions.__annotations__}
    return ScanOptions(**options | {"device": own_device(settings["device"])})


def _section(whole: Capture, first: int, seconds: int | None) -> Capture:
    """The section that begins with this second."""
    if seconds is None:
        return whole
    rate = whole.sample_rate_hz or 1.0
    return Section(whole, round(first * rate), min(whole.n_samples, round((first + seconds) * rate)))


@lru_cache(maxsize=4)
def _opened(key: str, where: str, digest: str) -> Capture:
    """A capture, which stays open. Raises RecordingError unless it is the one of this digest."""
    capture = _capture(json.loads(key), where, False)
    check_digest(where, input_digest(capture), digest)
    return capture


def _capture(settings: dict[str, Any], where: str, verify: bool) -> Capture:
    form = RawForm(*settings["form"])
    if not is_capture(where, form):
        raise RecordingError(f"{where}: expected a capture, found a file of another kind")
    return open_capture(where, spec_of(settings).n_elements, form, verify)
