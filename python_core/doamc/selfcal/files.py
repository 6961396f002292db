"""A calibration as a file: safetensors with the belief and the start prior it is written in, and a JSON header."""

import json
from pathlib import Path
from typing import Any

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.errors import CalibrationError
from doamc.files.atomic import whole_file
from doamc.files.tensor_files import read_tensors
from doamc.selfcal.belief import Belief
from doamc.spec import ArraySpec
from doamc.text import reason, shown

SCHEMA = "doamc.selfcal/1"
LARGEST = 1e15  #: of any number


def save_belief(path: str | Path, spec: ArraySpec, belief: Belief, record: dict[str, Any]) -> None:
    """Write a belief over an array's coupling; the file appears whole or not at all.

    record: what else is to be remembered, plain values. Raises RecordingError when the file cannot be written.
    """
    from safetensors.torch import save

    start = belief.start
    tensors = {
        "mean": _real(start.mean),
        "patterns": _real(start.patterns),
        "projection": _real(start.projection),
        "gathered": belief.gathered.contiguous(),
        "pull": belief.pull.contiguous(),
    }
    head = {"schema": SCHEMA, "array": spec.name, "digest": spec.digest, "record": record}
    data = save(tensors, {"doamc": json.dumps(head)})
    with whole_file(path) as file:
        file.write(data)


def load_belief(path: str | Path, spec: ArraySpec) -> tuple[Belief, dict[str, Any]]:
    """The belief and the record of a file.

    Raises CalibrationError when the file cannot be read, is no such calibration, or is of another array.
    """
    what = f"{path}: not a calibration of method self-calibrating"
    tensors, head = read_tensors(path, CalibrationError, what)
    try:
        schema, digest, record = head["schema"], head["digest"], dict(head["record"])
        if any(type(count) is not int or not 0 <= count < 2**53 for count in record.values()):
            raise ValueError("counts in the record are expected")
        mean, patterns, projection = (
            torch.view_as_complex(tensors[k].double()) for k in ("mean", "patterns", "projection")
        )
        gathered, pull = tensors["gathered"].double(), tensors["pull"].double()
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CalibrationError(f"{what} ({reason(error)})") from error
    if schema != SCHEMA:
        raise CalibrationError(f"{path}: expected schema {SCHEMA!r}, found {shown(schema)}")
    if digest != spec.digest:
        raise CalibrationError(
            f"{path}: expected a calibration of array {spec.name} ({spec.digest}), found one of "
            f"{shown(head.get('array'))} ({shown(digest)}); name another file"
        )
    k = patterns.shape[0] if patterns.ndim else 0
    n, wide = spec.n_elements, mean.shape[-1] if mean.ndim else 0
    shapes = [mean.shape, patterns.shape, projection.shape, gathered.shape, pull.shape]
    if shapes != [(n, wide), (k, n, wide), (wide, n), (k, k), (k,)] or wide % n:
        raise CalibrationError(f"{path}: expected tensors of {k} parameters that fit, found {tuple(gathered.shape)}")
    if not all(bool((v.abs() < LARGEST).all()) for v in tensors.values()):
        raise CalibrationError(f"{path}: expected numbers up to {LARGEST:g}, found larger ones")
    belief = Belief(DrawnFamily(mean, patterns, projection, name=f"{spec.name}, widened"), gathered, pull)
    if not belief.sound or abs(belief.start.centre.diagonal().mean() - 1) > 0.1:
        raise CalibrationError(f"{path}: expected a belief over couplings of mean diagonal 1, found another")
    return belief, record


def _real(value: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(value.resolve_conj().contiguous()).clone()
