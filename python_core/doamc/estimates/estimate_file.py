"""Estimates as an .npz file: what ``doamc estimate`` writes.

Keys: ``doa_deg`` (B, P) ascending, ``doa_std_deg`` (B, P), ``power_db`` (B, P), ``coupling`` complex (B, N, N),
``noise_power`` (B,), ``n_sources`` (B,); NaN where a batch has fewer sources. `bcs` adds ``elevation_deg`` (B, P). A
posterior adds ``doa_interval_deg`` (B, P, 2), ``coupling_std`` (B, N, N), ``mode_doa_deg`` and ``mode_std_deg``
(B, M, P), ``mode_share`` (B, M), ``effective_snapshots`` (B,) and, where it counted the sources, ``log_evidence``
(B, 1 + P_max), NaN for noise alone. ``channels`` (N,): the element that each channel of the receiver comes from, where
these are numbered otherwise than elements.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from doamc.snapshots.npz import write_snapshots
from doamc.spec.numbering import renumbered

if TYPE_CHECKING:
    from doamc.estimators.base import Estimates


def write_estimates(path: str | Path, estimates: "Estimates", channels: Sequence[int] = ()) -> None:
    """Write the keys above from `Estimates` (radians, linear) to an .npz file, whole or not at all."""
    numbering = {"channels": np.array(channels)} if renumbered(channels) else {}
    write_snapshots(path, **estimate_arrays(estimates), **numbering)


def estimate_arrays(estimates: "Estimates") -> dict[str, NDArray[Any]]:
    """The keys above: degrees, dB and linear noise power. Powers of zero or less are NaN in dB."""
    e = estimates
    power = e.power.cpu().numpy()
    extra = {
        "elevation_deg": None if e.elevation is None else e.elevation.rad2deg(),
        "doa_interval_deg": None if e.interval is None else e.interval.rad2deg(),
        "coupling_std": e.coupling_std,
        "mode_doa_deg": None if e.mode_azimuth is None else e.mode_azimuth.rad2deg(),
        "mode_std_deg": None if e.mode_std is None else e.mode_std.rad2deg(),
        "mode_share": e.mode_share,
        "effective_snapshots": e.snapshots,
        "log_evidence": e.log_evidence,
    }
    return {k: v.cpu().numpy() for k, v in extra.items() if v is not None} | {
        "doa_deg": np.degrees(e.azimuth.cpu().numpy()),
        "doa_std_deg": np.degrees(e.std.cpu().numpy()),
        "power_db": 10 * np.log10(power, out=np.full(power.shape, np.nan), where=power > 0),
        "coupling": e.coupling.cpu().numpy(),
        "noise_power": e.noise_power.cpu().numpy(),
        "n_sources": e.n_sources.cpu().numpy(),
    }
