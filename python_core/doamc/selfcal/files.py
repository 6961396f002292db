"""A calibration as a file: safetensors with the belief and the start prior it is told in, and a JSON header."""

import json
from pathlib import Path
from typing import Any

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.errors import CalibrationError
from doamc.files.atomic import whole_file
from doamc.selfcal.belief import Belief
from doamc.spec import ArraySpec

SCHEMA = "doamc.selfcal/1"
LARGEST = 1e15  #: of any figure


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
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "pt") as file:
            head = json.loads((file.metadata() or {})["doamc"])
            tensors = {k: file.get_tensor(k).clone() for k in file.keys()}  # cloned: a file's lie unaligned
        schema, digest, record = head["schema"], head["digest"], dict(head["record"])
        mean, patterns, projection = (
            torch.view_as_complex(tensors[k].double()) for k in ("mean", "patterns", "projection")
        )
        gathered, pull = tensors["gathered"].double(), tensors["pull"].double()
        if any(type(count) is not int or not 0 <= count < 2**53 for count in record.values()):
            raise ValueError("counts in the record are expected")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError, RecursionError) as error:
        raise CalibrationError(f"{path}: not a calibration of method self-calibrating ({error})") from error
    if schema != SCHEMA:
        raise CalibrationError(f"{path}: expected schema {SCHEMA!r}, found {schema!r}")
    if digest != spec.digest:
        raise CalibrationError(
            f"{path}: expected a calibration of array {spec.name} ({spec.digest}), found one of {head.get('array')} "
            f"({digest}); name another file"
        )
    k = patterns.shape[0] if patterns.ndim else 0
    n, wide = spec.n_elements, mean.shape[-1] if mean.ndim else 0
    shapes = [mean.shape, patterns.shape, projection.shape, gathered.shape, pull.shape]
    figures = [torch.view_as_real(v) for v in (mean, patterns, projection)] + [gathered, pull]
    sensible = all(bool((v.abs() < LARGEST).all()) for v in figures)  # and not NaN
    if shapes != [(n, wide), (k, n, wide), (wide, n), (k, k), (k,)] or wide % n or not sensible:
        raise CalibrationError(f"{path}: expected finite figures of {k} parameters, found {tuple(gathered.shape)}")
    belief = Belief(DrawnFamily(mean, patterns, projection, name=f"{spec.name}, widened"), gathered, pull)
    if not belief.sound or abs(belief.start.centre.diagonal().mean() - 1) > 0.1:
        raise CalibrationError(f"{path}: expected a belief over couplings of mean diagonal 1, found another")
    return belief, record


def _real(value: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(value.resolve_conj().contiguous()).clone()
