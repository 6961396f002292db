"""Estimates and status as JSON: what goes over ZMQ, into logs and (as a PMT dict of the same keys) into GNU Radio.

Every message names its schema, ``doamc.estimate/1``, ``doamc.status/1`` or, from simulations, ``doamc.truth/1``; the
JSON Schema files stand beside this module. Their ``version`` is that of the program. Readers ignore keys that they do
not know. JSON has no NaN: a number that is not known is ``null``.
"""

import json
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doamc import __version__
from doamc.errors import PublishError
from doamc.estimates.border import MAX_MESSAGE_BYTES
from doamc.estimates.orientation import oriented
from doamc.protocol import ESTIMATE_SCHEMA, STATUS_SCHEMA


def make_message(
    *,
    seq: int,
    time: float,
    sample_time: float | None,
    frequency_hz: float | None,
    array: str,
    method: str,
    azimuth_deg: ArrayLike,  # shape: (P,), NaN where there is no source
    std_deg: ArrayLike | None,  # shape: (P,)
    power_db: ArrayLike | None,  # shape: (P,)
    noise_power: float | None,
    coupling: ArrayLike | None,  # shape: (N, N), complex
    snapshots: int,
    latency_ms: dict[str, float],
    dropped_batches: int,
    interval_deg: ArrayLike | None = None,  # shape: (P, 2)
    elevation_deg: ArrayLike | None = None,  # shape: (P,)
    elevation_std_deg: ArrayLike | None = None,  # shape: (P,)
    elevation_interval_deg: ArrayLike | None = None,  # shape: (P, 2)
    elevation_correlation: ArrayLike | None = None,  # shape: (P,), of the errors of azimuth and elevation
    coupling_std: ArrayLike | None = None,  # shape: (N, N)
    modes: list[dict[str, Any]] | None = None,
    effective_snapshots: float | None = None,
    model_error_db: float | None = None,
    model_error_interval_db: ArrayLike | None = None,  # shape: (2,)
    source_probability: ArrayLike | None = None,  # shape: (1 + P_max,)
    fit: dict[str, Any] | None = None,
    alike: str | None = None,
    heading_deg: float | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """One estimate as a message of schema ``doamc.estimate/1``, plain Python values only.

    seq: number of the estimate, from 0, counting every one made. time: Unix time in s at which it was made.
    sample_time: stream time in s of its first sample. std_deg, power_db, noise_power (linear), coupling: None or NaN
    where the method gives none, written as null; a source whose azimuth is NaN is left out, and ``n_sources`` counts
    the others. latency_ms: ``buffer``, ``inference`` and ``total``.
    elevation_deg with its deviation and interval: above the horizon, left out where the array has none.
    What only a posterior gives, left out where it is None: interval_deg, central 90 % of each azimuth; coupling_std,
    r.m.s. spread of each entry; modes, dicts of ``share``, ``azimuth_deg`` and ``std_deg``, the places where the
    directions may be; effective_snapshots; model_error_db, how far responses are off the model, relative, and its
    central 90 %; source_probability of 0, 1, ... sources.
    fit: how well the batch fits the model, ``misfit``, ``probability``, ``doubtful`` and ``cause``, where it is known.
    alike: what the array cannot tell apart, in words, where it has elevations.
    heading_deg: bearing of the array's +x axis, clockwise from true north, where it is known: every source then has its
    ``bearing_deg``.
    extra: further keys, e.g. the truth of a simulation; complex arrays become ``{"re": ..., "im": ...}``.
    Raises PublishError when lengths differ, the coupling is not square or an extra key would replace one of these.
    """
    azimuth = np.asarray(azimuth_deg, dtype=float).reshape(-1)
    columns = []
    for name, value in (("std_deg", std_deg), ("power_db", power_db)):
        column = np.full(azimuth.shape, np.nan) if value is None else np.asarray(value, dtype=float).reshape(-1)
        if column.shape != azimuth.shape:
            raise PublishError(f"expected {azimuth.size} values of {name}, one a source, found {column.size}")
        columns.append(column)
    sources: list[dict[str, Any]] = [
        {"azimuth_deg": float(a), "std_deg": _plain(float(s)), "power_db": _plain(float(p))}
        for a, s, p in zip(azimuth, *columns, strict=True)
    ]
    elevations = {"elevation_deg": elevation_deg, "elevation_std_deg": elevation_std_deg}
    elevations["elevation_correlation"] = elevation_correlation
    for name, value in elevations.items():
        _tell(sources, name, value, (azimuth.size,))
    for name, value in {"interval_deg": interval_deg, "elevation_interval_deg": elevation_interval_deg}.items():
        _tell(sources, name, value, (azimuth.size, 2))
    sources = [s for s in sources if math.isfinite(s["azimuth_deg"])]
    message = {
        "schema": ESTIMATE_SCHEMA,
        "version": __version__,
        "seq": int(seq),
        "time": float(time),
        "sample_time": _plain(sample_time),
        "frequency_hz": _plain(frequency_hz),
        "array": array,
        "method": method,
        "n_sources": len(sources),
        "sources": sources,
        "noise_power": _plain(noise_power),
        "coupling": _matrix(coupling),
        "snapshots": int(snapshots),
        "latency_ms": {k: _plain(latency_ms.get(k)) for k in ("buffer", "inference", "total")},
        "dropped_batches": int(dropped_batches),
    }
    posterior = {
        "coupling_std": coupling_std, "modes": modes, "effective_snapshots": effective_snapshots,
        "model_error_db": model_error_db, "model_error_interval_db": model_error_interval_db,
        "source_probability": source_probability, "fit": fit, "alike": alike,
    }  # fmt: skip
    message |= _plain({k: v for k, v in posterior.items() if v is not None})
    clash = sorted(message.keys() & extra.keys())
    if clash:
        raise PublishError(f"expected extra keys beside those of {ESTIMATE_SCHEMA}, found {', '.join(clash)}")
    return oriented(message | _plain(extra), heading_deg)


def _tell(sources: list[dict[str, Any]], name: str, value: ArrayLike | None, shape: tuple[int, ...]) -> None:
    """Give every source its value; none where there is no value at all."""
    if value is None:
        return
    column = np.asarray(value, dtype=float)
    if column.shape != shape:
        raise PublishError(f"expected {name} of shape {shape}, found {column.shape}")
    for source, own in zip(sources, column.tolist(), strict=True):
        source[name] = own


def status_message(
    *,
    time: float,
    state: str,
    seq: int,
    counters: dict[str, int] | None = None,
    last_error: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """One heartbeat as a message of schema ``doamc.status/1``.

    state: ``running``, ``idle``, ``error`` or ``stopped``. seq: number of the newest estimate, -1 before the first.
    counters: named event counts (made, dropped, failed, ...). last_error: text of the newest error, if any.
    """
    head = {"schema": STATUS_SCHEMA, "version": __version__, "time": float(time), "state": state, "seq": int(seq)}
    message = head | {"counters": _plain(counters or {}), "last_error": last_error}
    return message | _plain({k: v for k, v in extra.items() if k not in message})


def encode(message: dict[str, Any]) -> bytes:
    """UTF-8 JSON of a message on one line, NaN as null.

    Raises PublishError on values that JSON cannot hold, and when it is longer than any reader takes.
    """
    try:
        data = json.dumps(_plain(message), allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PublishError(f"expected a message of plain values, found one that JSON cannot hold ({error})") from error
    if len(data) > MAX_MESSAGE_BYTES:
        raise PublishError(f"expected a message of at most {MAX_MESSAGE_BYTES} bytes, found {len(data)}; send less")
    return data


def _matrix(value: ArrayLike | None) -> dict[str, Any] | None:
    """A complex matrix as {"re", "im"}; None when it is not known."""
    if value is None:
        return None
    matrix = np.asarray(value, dtype=complex)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise PublishError(f"expected a square coupling matrix (N, N), found shape {matrix.shape}")
    return {"re": matrix.real.tolist(), "im": matrix.imag.tolist()} if np.isfinite(matrix).all() else None


def _plain(value: Any) -> Any:
    """Plain Python values: arrays and tensors as lists, complex ones as re and im, NaN and infinities as None."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, complex):
        return {"re": _plain(value.real), "im": _plain(value.imag)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # numpy and torch alike, scalars too
        array = np.asarray(value)
        if np.iscomplexobj(array):
            return {"re": _plain(array.real.tolist()), "im": _plain(array.imag.tolist())}
        return _plain(array.tolist())
    return value
