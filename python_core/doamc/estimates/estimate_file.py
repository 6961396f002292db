"""Estimates as an .npz file: what ``doamc estimate`` writes.

Keys: ``doa_deg`` (B, P) ascending, ``doa_std_deg`` (B, P), ``power_db`` (B, P), ``coupling`` complex (B, N, N),
``noise_power`` (B,), ``n_sources`` (B,); NaN where a batch has fewer sources. Of an array with elevations, and from
`bcs`: ``elevation_deg`` (B, P), and ``elevation_std_deg`` where the method gives one. Of an array whose coupling
depends on direction ``coupling_by_direction`` (B, P, N, N), that of every source. A posterior adds
``doa_interval_deg`` and ``elevation_interval_deg`` (B, P, 2), ``elevation_correlation`` (B, P), ``coupling_std`` (B,
N, N), ``mode_doa_deg``, ``mode_elevation_deg`` and ``mode_std_deg`` (B, M, P), ``mode_share`` (B, M),
``effective_snapshots`` (B,), ``model_error_db`` (B,) with ``model_error_interval_db`` (B, 2), and, where it counted
the sources, ``log_evidence`` (B, 1 + P_max), NaN for noise alone. How well a batch fits: ``fit_misfit``,
``fit_probability``, ``fit_doubtful`` and ``fit_cause`` (text), each (B,), and where the wide prior was used for any,
``fit_prior`` (B,), "wide" or "narrow".
Where any takes something into account that the specification does not say, ``fit_model`` (B,) tells what.
``channels`` (N,): the element that each channel of the receiver comes from, where these are numbered otherwise than
elements.
``left_out`` (B,), snapshots left out for impulses, and ``offset_removed`` (B,), whether the converters' offset was
taken out: where there were any. Where the heading of the array's +x axis is known, ``heading_deg`` (),
``bearing_deg`` (B, P), clockwise from true north, and with an interval ``bearing_interval_deg`` (B, P, 2).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from doamc.angles import bearing_deg, bearing_interval_deg
from doamc.snapshots.npz import write_snapshots
from doamc.spec.numbering import renumbered

if TYPE_CHECKING:
    import torch

    from doamc.estimators.estimates import Estimates


def write_estimates(
    path: str | Path, estimates: "Estimates", channels: Sequence[int] = (), heading_deg: float | None = None
) -> None:
    """Write the keys above from `Estimates` (radians, linear) to an .npz file, whole or not at all.

    heading_deg: bearing of the array's +x axis, where it is known.
    """
    arrays = estimate_arrays(estimates, channels)
    numbering = {"channels": np.array(channels)} if renumbered(channels) else {}
    bearings = {} if heading_deg is None else bearing_arrays(arrays, heading_deg)
    write_snapshots(path, **arrays, **numbering, **bearings)


def bearing_arrays(arrays: dict[str, NDArray[Any]], heading_deg: float) -> dict[str, NDArray[Any]]:
    """Keys of bearings, for estimates as `estimate_arrays` gives them."""
    azimuth = arrays["doa_deg"]
    made = {"heading_deg": np.array(heading_deg), "bearing_deg": bearing_deg(azimuth, heading_deg)}
    if "doa_interval_deg" in arrays:
        low, high = np.moveaxis(arrays["doa_interval_deg"], -1, 0)
        made["bearing_interval_deg"] = np.stack(bearing_interval_deg(low, high, azimuth, heading_deg), -1)
    return made


def estimate_arrays(estimates: "Estimates", channels: Sequence[int] = ()) -> dict[str, NDArray[Any]]:
    """The keys above: degrees, dB and linear noise power. Powers of zero or less are NaN in dB."""
    from doamc.estimators.cause_names import cause_name, model_words

    e = estimates
    power = e.power.cpu().numpy()
    extra = {
        "elevation_deg": None if e.elevation is None else e.elevation.rad2deg(),
        "elevation_std_deg": None if e.elevation_std is None else e.elevation_std.rad2deg(),
        "elevation_interval_deg": None if e.elevation_interval is None else e.elevation_interval.rad2deg(),
        "elevation_correlation": e.elevation_correlation,
        "doa_interval_deg": None if e.interval is None else e.interval.rad2deg(),
        "coupling_by_direction": e.coupling_by_direction,
        "coupling_std": e.coupling_std,
        "mode_doa_deg": None if e.mode_azimuth is None else e.mode_azimuth.rad2deg(),
        "mode_elevation_deg": None if e.mode_elevation is None else e.mode_elevation.rad2deg(),
        "mode_std_deg": None if e.mode_std is None else e.mode_std.rad2deg(),
        "mode_share": e.mode_share,
        "effective_snapshots": e.snapshots,
        "model_error_db": None if e.model_error_db is None else e.model_error_db[:, 1],
        "model_error_interval_db": None if e.model_error_db is None else e.model_error_db[:, ::2],
        "left_out": _where_any(e.left_out),
        "offset_removed": _where_any(e.offset_removed),
        "log_evidence": e.log_evidence,
        "fit_misfit": e.misfit,
        "fit_probability": e.fit_probability,
        "fit_doubtful": e.doubtful,
    }
    known = {k: v.cpu().numpy() for k, v in extra.items() if v is not None}
    if e.fit_cause is not None:
        known["fit_cause"] = np.array([cause_name(int(k), channels) for k in e.fit_cause])
    if e.wide_prior is not None and e.wide_prior.any():
        known["fit_prior"] = np.where(e.wide_prior.cpu().numpy(), "wide", "narrow")
    told = [x is not None and bool(x.any()) for x in (e.wide_prior, e.remedy)]
    if any(told):
        columns = (x.tolist() if x is not None else [0] * len(power) for x in (e.remedy, e.wide_prior))
        known["fit_model"] = np.array([model_words(r, bool(w), channels) for r, w in zip(*columns, strict=True)])
    return known | {
        "doa_deg": np.degrees(e.azimuth.cpu().numpy()),
        "doa_std_deg": np.degrees(e.std.cpu().numpy()),
        "power_db": 10 * np.log10(power, out=np.full(power.shape, np.nan), where=power > 0),
        "coupling": e.coupling.cpu().numpy(),
        "noise_power": e.noise_power.cpu().numpy(),
        "n_sources": e.n_sources.cpu().numpy(),
    }


def _where_any(counted: "torch.Tensor | None") -> "torch.Tensor | None":
    """What is only told where it is not zero throughout."""
    return counted if counted is not None and counted.any() else None
