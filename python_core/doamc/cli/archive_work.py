"""What workers do for an archive: say of an input what it is, and estimate some of its chunks.

Arguments and results are plain values and bytes; see `doamc.cluster.executor`. The engine, with its weights and random
tables, and the last inputs stay open from task to task.
"""

import json
import time
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from doamc.cli.archive_checks import check_digest, spec_of
from doamc.cli.chunks import chunk_size, estimate_chunk
from doamc.cli.inputs import as_complex128
from doamc.cli.pieces import Pieces
from doamc.cluster import seed_of
from doamc.cluster.devices import own_device
from doamc.estimates.estimate_bytes import to_bytes
from doamc.estimators.base import Estimator
from doamc.estimators.engine import open_estimator
from doamc.estimators.tuned import TunedEstimator
from doamc.snapshots.batch import make_batch
from doamc.snapshots.raw_files import RawForm
from doamc.spec import ArraySpec


def index(task: dict[str, Any]) -> dict[str, Any]:
    """What an input is: count and shape (B, N, L), digest, channels and remarks. task: settings, where."""
    pieces = _pieces(task["settings"], task["where"], True)
    return {
        "count": pieces.shape[0], "chunk": chunk_size(pieces.shape), "shape": list(pieces.shape),
        "digest": pieces.digest, "channels": list(pieces.channels), "remarks": pieces.remarks,
    }  # fmt: skip


def chunks(task: dict[str, Any]) -> dict[str, Any]:
    """Estimates of chunks of an input: task names settings, where, digest and chunks, the numbers of their batches.

    Of each chunk its first batch and its estimates as bytes, with start_s, time and frequency_hz of its batches where
    they are told; seconds: how long it all took.
    """
    begin = time.monotonic()
    torch.set_num_threads(1)
    settings = task["settings"]
    key = json.dumps(settings, sort_keys=True)
    tuned, pieces = _engine(key), _opened(key, task["where"], task["digest"])
    done = []
    for first in task["chunks"]:
        piece = pieces.read(first, chunk_size(pieces.shape))
        known = settings["noise_power"] if settings["noise_power"] is not None else piece.noise_power
        noise = torch.tensor(known, dtype=torch.float64) if isinstance(known, np.ndarray) else known
        y = torch.from_numpy(as_complex128(piece.snapshots))
        batch = make_batch(y, pieces.shape[1], noise, first, pieces.channels)
        torch.manual_seed(seed_of(settings["seed"], task["digest"], first))
        frequencies_hz = [None] * batch.size if piece.frequency_hz is None else _known(piece.frequency_hz)
        estimates = estimate_chunk(tuned, batch, frequencies_hz, settings["sources"])
        data = to_bytes(estimates, start_s=piece.start_s, time=piece.time, frequency_hz=piece.frequency_hz)
        done.append({"first": first, "data": data})
    return {"chunks": done, "seconds": time.monotonic() - begin}


def _known(frequency_hz: "np.ndarray[Any, Any]") -> list[float | None]:
    return [None if np.isnan(f) else float(f) for f in frequency_hz]


@lru_cache(maxsize=2)
def _engine(key: str) -> TunedEstimator:
    settings = json.loads(key)

    def make(spec: ArraySpec) -> Estimator:
        device = own_device(settings["device"])
        return open_estimator(settings["method"], spec, settings["sources"], device, settings["seed"])

    return TunedEstimator(spec_of(settings), make)


@lru_cache(maxsize=4)
def _opened(key: str, where: str, digest: str) -> Pieces:
    """An input, which stays open. Raises RecordingError unless it is the one of this digest."""
    pieces = _pieces(json.loads(key), where, False)
    check_digest(where, pieces.digest, digest)
    return pieces


def _pieces(s: dict[str, Any], where: str, verify: bool) -> Pieces:
    return Pieces(where, spec_of(s), s["snapshots"], s["batches"], RawForm(*s["form"]), s["positions"], verify)
