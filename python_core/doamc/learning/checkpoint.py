"""Checkpoints: safetensors files that carry the array specification and every hyper-parameter inside.

No pickle: a checkpoint is tensors and a JSON header. One trained for another array is refused.
"""

import json
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import torch

from doamc.errors import CheckpointError, DoamcError, SpecificationError
from doamc.files.atomic import make_folder, whole_file
from doamc.files.tensor_files import read_tensors
from doamc.learning.networks import needs_no_array
from doamc.spec import ArraySpec, load_spec, parse_spec
from doamc.text import reason, shown

Net = TypeVar("Net", bound=torch.nn.Module)
WEIGHTS = Path(__file__).parent.parent / "weights"


RESUME = "-resume"  #: ends the kind of a checkpoint that a training goes on from


@dataclass(frozen=True)
class Checkpoint:
    """Weights, hyper-parameters, the specification they were trained for (None: for no array), record of training."""

    kind: str
    spec: ArraySpec | None
    config: dict[str, Any]
    record: dict[str, Any]
    tensors: dict[str, torch.Tensor]

    def __str__(self) -> str:
        return f"weights of kind {self.kind!r}" + (f" for {self.spec.name}" if self.spec else "")

    def network(self, make: Callable[[dict[str, Any]], Net]) -> Net:
        """The network that `make` builds of the configuration, with the weights, for use and not for training.

        Raises CheckpointError where they do not fit: unknown or missing entries, sizes that the weights do not have.
        """
        try:
            self._check_sizes()
            net = make(self.config).float()
            net.load_state_dict(self.tensors)
        except DoamcError:
            raise
        except (TypeError, ValueError, KeyError, RuntimeError) as error:
            raise CheckpointError(f"{self}: configuration and weights do not fit ({reason(error)})") from error
        return net.requires_grad_(False).eval()

    def _check_sizes(self) -> None:
        """Refuse layers with more weights than the file holds, before memory is taken for them."""
        held = sum(v.numel() for v in self.tensors.values())
        for key, value in self.config.items():
            wide = key in ("width", "encoder", "code")  # of layers that are as wide at either end
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value * (value if wide else 1) <= held:
                raise CheckpointError(f"{self}: expected a {key} that {held} weights may have, found {shown(value)}")
        if self.config.get("blocks", 1) * self.config.get("width", 1) ** 2 > held:
            raise CheckpointError(f"{self}: expected blocks that {held} weights may have, found more")


def _file(kind: str, array: str | None) -> str:
    return f"{kind}-{array}.safetensors" if array else f"{kind}.safetensors"


def shipped_weights(kind: str, array: str | None = None) -> Path:
    """Path of the weights that ship for a kind of network and an array, if it knows of any (it may not exist)."""
    return WEIGHTS / _file(kind, array)


def own_weights(kind: str, array: str | None = None) -> Path:
    """Where training puts weights unless another file is named: $DOAMC_WEIGHTS, else the user's data folder.

    Raises CheckpointError when neither is named and the user has no home.
    """
    name = _file(kind, array)
    if folder := os.environ.get("DOAMC_WEIGHTS"):
        return Path(folder) / name
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    if data.startswith("~"):
        raise CheckpointError(f"expected a home folder with {name}, found no HOME; name a folder by DOAMC_WEIGHTS")
    return Path(data) / "doamc" / name


def find_weights(kind: str, *arrays: str) -> Path:
    """Weights to use: those in $DOAMC_WEIGHTS, else the shipped ones, else the user's own, of the first array with any.

    arrays: names, that of the array first; none for a network that knows of no array. Where there are no weights:
    where those of the first would ship.
    """
    names = arrays or (None,)
    shipped = [shipped_weights(kind, array) for array in names]
    first = () if os.environ.get("DOAMC_WEIGHTS") else shipped
    places = chain(first, (own_weights(kind, array) for array in names), shipped)
    return next((path for path in places if os.path.isfile(path)), shipped[0])


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
                "spec": checkpoint.spec and checkpoint.spec.table,
                "digest": checkpoint.spec and checkpoint.spec.digest,
                "config": checkpoint.config,
                "record": checkpoint.record,
            }
        )
    }
    data = save({k: v.detach().cpu().contiguous() for k, v in checkpoint.tensors.items()}, header)
    with whole_file(path) as file:
        file.write(data)


def training_command(kind: str, spec: ArraySpec | None, path: Path) -> str:
    """The command that trains a kind of network for an array and writes it to where it was looked for at path."""
    array = "ARRAY" if spec is None else spec.source or f"{spec.name}.toml"
    words = ["doamc", "train", *(() if needs_no_array(kind) else ("--array", array)), "--net", kind]
    if path.parent != WEIGHTS:  # the user named it
        words += ["--out", str(path)]
    return shlex.join(words)


def load_checkpoint(path: str | Path, kind: str, spec: ArraySpec | str | None = None) -> Checkpoint:
    """Read a checkpoint of one kind, for one array when spec is given.

    Raises CheckpointError when the file is missing or damaged, holds numbers that are not finite, is of another kind,
    or was trained for an array of another geometry, sector or coupling family.
    """
    path = Path(path)
    wanted = None if spec is None else load_spec(spec)
    training = training_command(kind.removesuffix(RESUME), wanted, path)
    if not os.path.isfile(path):
        raise CheckpointError(f"no weights at {path.name}; train them with: {training} (method posterior needs none)")
    damaged = f"{path.name} is not a checkpoint of this project, or is damaged"
    tensors, header = read_tensors(path, CheckpointError, damaged)
    held = header.get("kind")
    table, config, record = (header.get(k) for k in ("spec", "config", "record"))
    free = table is None and needs_no_array(kind.removesuffix(RESUME))
    if not (isinstance(table, dict) or free) or not isinstance(config, dict) or not isinstance(record, dict):
        raise CheckpointError(f"{damaged}: expected tables spec, config and record, found {shown(list(header))}")
    if held != kind:
        raise CheckpointError(f"expected weights of kind {kind!r}, found {shown(held)} in {path.name}")
    if not isinstance(table, dict):
        return Checkpoint(kind, None, config, record, tensors)
    coupling = table.get("coupling")
    drawn = isinstance(coupling, dict) and coupling.get("family") == "drawn"
    if wanted is not None and wanted.coupling["family"] == "drawn" and drawn:
        table = table | {"coupling": wanted.coupling}  # the file of the prior may lie elsewhere than when it trained
    try:
        trained = parse_spec(table)
    except SpecificationError as error:
        raise CheckpointError(f"{damaged}: {error}") from error
    digest = header.get("digest", trained.digest)
    if wanted is not None and wanted.digest != digest:
        # shipped weights come before those that training writes
        first = "give that array a name of its own, then train" if path.parent == WEIGHTS else "train"
        raise CheckpointError(
            f"{path.name} was trained for array {trained.name!r} ({shown(digest)}), "
            f"found {wanted.name!r} ({wanted.digest}); {first}: {training}"
        )
    return Checkpoint(kind, trained, config, record, tensors)
