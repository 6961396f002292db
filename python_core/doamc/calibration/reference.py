"""What channels are aligned by: a noise source common to all, or one emitter of known direction."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.calibration.files import load_coupling
from doamc.errors import CalibrationError

REFERENCES = ("noise", "emitter")


def reference_response(
    reference: str, n_channels: int, array: str = "", azimuth_deg: float = 0.0, coupling: str | Path = ""
) -> tuple[NDArray[Any] | None, str]:
    """Response b (N,) of `align_channels`, by stream, None for ones, and what it is in words.

    reference: "noise", or "emitter" in direction azimuth_deg, received by an array (name of a specification or TOML
    file) with the coupling matrix of a file, "" for none: b = C a(azimuth).

    Raises CalibrationError when it is none of these, or the array has not N elements; SpecificationError when there is
    no such array.
    """
    if reference not in REFERENCES:
        raise CalibrationError(f"reference must be one of {', '.join(REFERENCES)}, found {reference!r}")
    if reference == "noise":
        return None, "noise source"
    if not array or not math.isfinite(azimuth_deg):
        raise CalibrationError(
            f"an emitter needs an array and a direction in degrees, found {array!r} and {azimuth_deg}; set array"
        )
    import torch

    from doamc.arrays.steering import steering
    from doamc.spec import load_spec

    spec = load_spec(array)
    if spec.n_elements != n_channels:
        raise CalibrationError(f"expected an array of {n_channels} elements, found {spec.n_elements} of {spec.name}")
    azimuth = torch.tensor([math.radians(azimuth_deg)], dtype=torch.float64)
    response = steering(spec.positions, azimuth)[list(spec.channels), 0].numpy()
    if coupling:
        response = load_coupling(coupling, n_channels)[0] @ response
    return np.asarray(response), f"emitter at {azimuth_deg:g} deg, {spec.name}"
