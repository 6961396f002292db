"""Checkpoints: safetensors files that carry the array specification and every hyper-parameter inside.

No pickle: a checkpoint is tensors and a JSON header. One trained for another array is refused.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from doamc.errors import CheckpointError
from doamc.snapshots.atomic import make_folder, whole_file
from doamc.spec import ArraySpec, load_spec, parse_spec

WEIGHTS = Path(__file__).parent.parent / "weights"


@dataclass(frozen=True)
class Checkpoint:
    """Weights, hyper-parameters, the specification they were trained for, and the record of training."""

    kind: str
    spec: ArraySpec
    config: dict[str, Any]
    record: dict[str, Any]
    tensors: dict[str, torch.Tensor]


def shipped_weights(kind: str, array: str) -> Path:
    """Path of the weights that ship for a kind of network and an array (it may not exist)."""
    return WEIGHTS / f"{kind}-{array}.safetensors"


def own_weights(kind: str, array: str) -> Path:
    """Where training puts weights unless told otherwise: $DOAMC_WEIGHTS, else the user's data folder."""
    folder = os.environ.get("DOAMC_WEIGHTS")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(folder or Path(data) / "doamc") / f"{kind}-{array}.safetensors"


def find_weights(kind: str, array: str) -> Path:
    """Weights to use: those in $DOAMC_WEIGHTS, else the shipped ones, else the user's own of that array."""
    own, shipped = own_weights(kind, array), shipped_weights(kind, array)
    if own.is_file() and (os.environ.get("DOAMC_WEIGHTS") or not shipped.is_file()):
        return own
    return shipped


def compact(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors with single precision stored as half: weights need no more to be used, only to be trained on.

    A network takes them back into its own precision when it loads them. What half precision cannot hold stays.
    """
    held = {k: v.half() if v.dtype == torch.float32 else v for k, v in tensors.items()}
    return {k: v if bool(v.isfinite().all()) else tensors[k] for k, v in held.items()}


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all. Raises RecordingError when it cannot be written."""
    from safetensors.torch import save

    make_folder(path)
    header = {
        "doamc": json.dumps(
            {
                "kind": checkpoint.kind,
                "spec": checkpoint.spec.table,
                "digest": checkpoint.spec.digest,
                "config": checkpoint.config,
                "record": checkpoint.record,
            }
        )
    }
    data = save({k: v.detach().cpu().contiguous() for k, v in checkpoint.tensors.items()}, header)
    with whole_file(path) as file:
        file.write(data)


def load_checkpoint(path: str | Path, kind: str, spec: ArraySpec | str | None = None) -> Checkpoint:
    """Read a checkpoint of one kind, for one array when spec is given.

    Raises CheckpointError when the file is missing or damaged, is of another kind, or was trained for an array of
    another geometry, sector or coupling family.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no weights at {path.name}; train them with: doamc train --array ARRAY")
    try:
        with safe_open(str(path), "pt") as file:
            header = json.loads((file.metadata() or {})["doamc"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise CheckpointError(f"{path.name} is not a checkpoint of this project, or is damaged: {error}") from error
    if header["kind"] != kind:
        raise CheckpointError(f"expected weights of kind {kind!r}, found {header['kind']!r} in {path.name}")
    table, wanted = header["spec"], None if spec is None else load_spec(spec)
    if wanted is not None and wanted.coupling["family"] == "drawn" == table["coupling"]["family"]:
        table = table | {"coupling": wanted.coupling}  # the file of the prior may lie elsewhere than when it trained
    trained = parse_spec(table)
    digest = header.get("digest", trained.digest)
    if wanted is not None and wanted.digest != digest:
        raise CheckpointError(
            f"{path.name} was trained for array {trained.name!r} ({digest}), "
            f"found {wanted.name!r} ({wanted.digest}); train: doamc train --array ARRAY"
        )
    return Checkpoint(kind, trained, header["config"], header["record"], tensors)
