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

from doamc.cli.archive_settings import weights_digest
from doamc.cli.chunks import chunk_size, estimate_chunk
from doamc.cli.inputs import as_complex128
from doamc.cli.pieces import Pieces
from doamc.cluster import seed_of
from doamc.cluster.devices import own_device
from doamc.errors import ClusterError
from doamc.estimates.estimate_bytes import to_bytes
from doamc.estimators.base import Estimator
from doamc.estimators.engine import open_estimator
from doamc.estimators.tuned import TunedEstimator
from doamc.snapshots.batch import make_batch
from doamc.snapshots.raw_files import RawForm
from doamc.spec import ArraySpec, load_spec

INDEX, ESTIMATE = f"{__name__}:index", f"{__name__}:estimate"


def index(task: dict[str, Any]) -> dict[str, Any]:
    """What an input is: shape (B, N, L), digest, channels and remarks. task: settings, where."""
    pieces = _open(json.dumps(task["settings"], sort_keys=True), task["where"], True)
    return {
        "shape": list(pieces.shape), "digest": pieces.digest, "channels": list(pieces.channels),
        "remarks": pieces.remarks, "chunk": chunk_size(pieces.shape),
    }  # fmt: skip


def estimate(task: dict[str, Any]) -> dict[str, Any]:
    """Estimates of chunks of an input: task names settings, where, digest and chunks, the numbers of their batches.

    Of each chunk its first batch and its estimates as bytes, with start_s, time and frequency_hz of its batches where
    they are told; seconds: how long it all took.
    """
    begin = time.monotonic()
    torch.set_num_threads(1)
    settings = task["settings"]
    key = json.dumps(settings, sort_keys=True)
    tuned, pieces = _engine(key), _open(key, task["where"], False)
    chunks = []
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
        chunks.append({"first": first, "data": data})
    return {"chunks": chunks, "seconds": time.monotonic() - begin}


def _known(frequency_hz: "np.ndarray[Any, Any]") -> list[float | None]:
    return [None if np.isnan(f) else float(f) for f in frequency_hz]


def spec_of(settings: dict[str, Any]) -> ArraySpec:
    """The array of a run. Raises ClusterError where a worker finds another under its name, or other weights for it."""
    spec = load_spec(settings["array"], tunable=True)
    same = {"array": spec.digest == settings["array_digest"]}
    same["weights of array"] = weights_digest(settings["method"], spec) == settings["weights"]
    for what in (k for k, agrees in same.items() if not agrees):
        raise ClusterError(
            f"expected {what} {settings['array']} to be the same for all workers, found others; put the same files at "
            "the same paths everywhere"
        )
    return spec


@lru_cache(maxsize=2)
def _engine(key: str) -> TunedEstimator:
    settings = json.loads(key)

    def make(spec: ArraySpec) -> Estimator:
        device = own_device(settings["device"])
        return open_estimator(settings["method"], spec, settings["sources"], device, settings["seed"])

    return TunedEstimator(spec_of(settings), make)


@lru_cache(maxsize=4)
def _open(key: str, where: str, verify: bool) -> Pieces:
    s = json.loads(key)
    form = RawForm(*s["form"])
    return Pieces(where, spec_of(s), s["snapshots"], s["batches"], form, s["positions"], verify)
