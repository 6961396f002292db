"""Estimates on their way from a worker, and in parts of a run that is not finished: .npz in memory, nothing pickled."""

import io
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.errors import SnapshotError
from doamc.estimators.estimates import Estimates
from doamc.snapshots.npy import DAMAGED
from doamc.text import reason

_TOLD = "told_"  #: begins the names of what is told of the batches beside their estimates


def to_bytes(estimates: Estimates, **told: Any) -> bytes:
    """All fields that estimates have but the denoised snapshots, which are larger than all others.

    told: arrays (B,) of what else is known of the batches, or None.
    """
    held = {f.name: getattr(estimates, f.name) for f in fields(Estimates) if f.name != "clean"}
    out = io.BytesIO()
    arrays = {k: v.cpu().numpy() for k, v in held.items() if v is not None}
    np.savez(out, **arrays, **{f"{_TOLD}{k}": v for k, v in told.items() if v is not None})
    return out.getvalue()


def from_bytes(data: bytes) -> tuple[Estimates, dict[str, NDArray[Any]]]:
    """What `to_bytes` was given. Raises SnapshotError where these are no such bytes."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            told = {name.removeprefix(_TOLD): held[name] for name in held.files if name.startswith(_TOLD)}
            mine = {name: torch.from_numpy(held[name]) for name in held.files if not name.startswith(_TOLD)}
        return Estimates(**mine), told
    except DAMAGED as error:
        raise SnapshotError(f"expected estimates as a worker returns them, found others ({reason(error)})") from error
