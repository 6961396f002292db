"""Where the antennas of a recording stand: ``spatial:element_geometry`` of SigMF, in metres."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_metadata import whole_field
from doamc.text import shown

GEOMETRY = "spatial:element_geometry"
#: m beyond which an antenna does not stand, and up to which captures may differ
_FARTHEST, _SAME = 1e6, 1e-3


def antenna_positions(metadata: dict[str, Any], n_channels: int, path: Path) -> NDArray[np.float64] | None:
    """Positions (N, 3) of the antennas of N channels, m; None where a recording does not tell them.

    One channel of several, in a recording of its own, is told by ``spatial:channel_index``.
    Raises RecordingError where they are no such positions, or captures differ.
    """
    world = metadata["global"]
    told = [part[GEOMETRY] for part in (world, *metadata["captures"]) if GEOMETRY in part]
    if not told:
        return None
    first = _points(told[0], path)
    for other in told[1:]:
        if other != told[0] and not _alike(first, _points(other, path)):
            raise RecordingError(f"{path}: expected one {GEOMETRY} for all captures, found antennas that move")
    if n_channels == 1 and len(first) > 1:
        index = whole_field(world, "spatial:channel_index", path, 0)
        if index < len(first):
            first = first[index : index + 1]
    if len(first) != n_channels:
        raise RecordingError(f"{path}: expected {GEOMETRY} of {n_channels} channels, found {len(first)} points")
    return first


def _alike(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return a.shape == b.shape and bool(np.abs(a - b).max() <= _SAME)


def _points(value: Any, path: Path) -> NDArray[np.float64]:
    given = value if isinstance(value, list) else []
    points: list[Any] = [p.get("point") if isinstance(p, dict) else None for p in given]
    if not points or not all(isinstance(p, list) and len(p) in (2, 3) and all(map(_is_length, p)) for p in points):
        raise RecordingError(
            f'{path}: expected {GEOMETRY} to be a list of {{"point": [x, y, z]}} in m, found {shown(value)}'
        )
    return np.array([[*p, 0.0][:3] for p in points], np.float64)


def _is_length(value: Any) -> bool:
    real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return real and abs(value) <= _FARTHEST
