"""Integrated visibilities as a PMT dict: what a `correlator` posts, and an imager reads.

Schema ``doamc.visibilities/1``, keys as in `Integration`, ``covariance`` a c64vector of N N entries, row by row, and
``n_elements``. Readers ignore keys that they do not know; integrations add up by their ``snapshots``:
R = (L1 R1 + L2 R2) / (L1 + L2).
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import pmt

from doamc.errors import SnapshotError
from doamc.imaging.integration import Integration
from doamc.protocol import VISIBILITIES_SCHEMA
from doamc.text import SHOWN, one_line, shown


def visibilities_to_pmt(visibilities: Integration) -> Any:
    """PMT dict of an integration."""
    told = asdict(visibilities)
    covariance = told.pop("covariance")
    told |= {
        "schema": VISIBILITIES_SCHEMA, "n_elements": len(covariance), "integration_s": visibilities.integration_s,
        "covariance": np.ascontiguousarray(covariance, dtype=np.complex128).reshape(-1),
    }  # fmt: skip
    return pmt.to_pmt(told)


def visibilities_from_pmt(message: Any) -> Integration:
    """Integration of a PMT dict. Raises SnapshotError when it is none."""
    told = pmt.to_python(message) if pmt.is_dict(message) else None
    if not isinstance(told, dict) or told.get("schema") != VISIBILITIES_SCHEMA:
        raise SnapshotError(f"expected visibilities, found {one_line(message, SHOWN)}; connect a correlator")
    n, values = told.get("n_elements"), np.asarray(told.get("covariance"))
    if not isinstance(n, int) or n < 2 or values.dtype.kind != "c" or values.shape != (n * n,):
        raise SnapshotError(f"expected a covariance of n_elements squared, found {values.shape} and {shown(n)}")
    return Integration(
        values.reshape(n, n), int(told["seq"]), int(told["snapshots"]), float(told["sample_time"]),
        float(told["sample_rate"]), told.get("rx_time"), told.get("frequency_hz"), int(told.get("gaps", 0)),
        str(told.get("array", "")), float(told.get("time", 0.0)),
    )  # fmt: skip
