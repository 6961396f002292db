"""Prior files: safetensors with mean, patterns and projection (real and imaginary part last), weights and scales.

The header says how they were drawn.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from doamc.antenna.prior import DrawnPrior
from doamc.errors import SpecificationError
from doamc.files.atomic import whole_file
from doamc.files.tensor_files import read_head


def write_prior(path: str | Path, prior: DrawnPrior, frequency: np.ndarray, record: dict[str, Any]) -> None:
    """Write a prior file; it appears whole or not at all.

    frequency: (F,), relative to that of design; written where there are several. record: what made it, as JSON.
    The bytes depend on the arguments alone, so that a checkpoint can be tied to them.
    """
    from safetensors.numpy import save

    several = len(prior.mean) > 1
    tensors = {
        name: np.ascontiguousarray(np.stack([value.real, value.imag], -1)[() if several else 0])
        for name, value in (("mean", prior.mean), ("patterns", prior.patterns), ("projection", prior.projection))
    }
    if several:
        tensors["frequency"] = frequency
    tensors |= {"weights": prior.weights, "scales": np.ascontiguousarray(prior.scales)}
    with whole_file(path) as file:
        file.write(save(tensors, {"doamc": json.dumps(record, sort_keys=True)}))


def read_record(path: str | Path) -> dict[str, Any]:
    """What made a prior file. Raises SpecificationError when it is none."""
    return read_head(path, SpecificationError, f"{path}: expected a prior file, which doamc antenna writes")
