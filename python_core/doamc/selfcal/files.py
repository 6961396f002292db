"""A calibration as a file: safetensors with the belief and the start prior it is told in, and a JSON header."""

import json
from pathlib import Path
from typing import Any

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.errors import CalibrationError, shown
from doamc.selfcal.belief import Belief
from doamc.snapshots.atomic import whole_file
from doamc.spec import ArraySpec
from doamc.tensor_files import read_tensors

SCHEMA = "doamc.selfcal/1"


def save_belief(path: str | Path, spec: ArraySpec, belief: Belief, record: dict[str, Any]) -> None:
    """Write a belief over an array's coupling; the file appears whole or not at all.

    record: what else is to be remembered, counts. Raises RecordingError when the file cannot be written.
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
    schema, digest, record = (head.get(k) for k in ("schema", "digest", "record"))
    if schema != SCHEMA or not isinstance(record, dict):
        raise CalibrationError(f"{path}: expected schema {SCHEMA!r} and a record, found schema {shown(schema)}")
    if digest != spec.digest:
        raise CalibrationError(
            f"{path}: expected a calibration of array {spec.name} ({spec.digest}), found one of "
            f"{shown(head.get('array'))} ({shown(digest)}); name another file"
        )
    names = ("mean", "patterns", "projection", "gathered", "pull")
    mean, patterns, projection, gathered, pull = (tensors.get(k, torch.zeros(0)).double() for k in names)
    n, k, wide = spec.n_elements, pull.numel(), mean.numel() // (2 * spec.n_elements)
    wanted = (n, wide, 2), (k, n, wide, 2), (wide, n, 2), (k, k), (k,)
    found = [tuple(v.shape) for v in (mean, patterns, projection, gathered, pull)]
    if found != list(wanted) or not k or wide % (2 * n) != n:
        raise CalibrationError(f"{path}: expected figures of shapes {wanted}, found {str(found)[:160]}")
    if not all(isinstance(v, int) and 0 <= v < 2**53 for v in record.values()):
        raise CalibrationError(f"{path}: expected counts in its record, found {shown(record)}")
    mean, patterns, projection = map(torch.view_as_complex, (mean, patterns, projection))
    belief = Belief(DrawnFamily(mean, patterns, projection, name=f"{spec.name}, widened"), gathered, pull)
    if not belief.sound or not bool(torch.view_as_real(belief.coupling).isfinite().all()):
        raise CalibrationError(f"{path}: expected a positive definite precision and a coupling with a diagonal")
    return belief, record


def _real(value: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(value.resolve_conj().contiguous()).clone()
