"""A signal and its directions as a message of schema ``doamc.signal/1``."""

from typing import Any

from doamc import __version__
from doamc.bands.bearings import Bearing
from doamc.bands.signal import Signal
from doamc.estimates.annotations import annotation
from doamc.estimates.message_values import message_values
from doamc.estimates.orientation import oriented
from doamc.protocol import SIGNAL_SCHEMA
from doamc.snapshots.sigmf_files import Recording


def signal_message(
    signal: Signal, bearing: Bearing, array: str, method: str, start_s: float = 0.0, time: float | None = None,
    heading_deg: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Plain values of a signal and its bearing.

    start_s: stream time of the first sample that the finder was given; time: Unix time of the same, where it is known.
    heading_deg: bearing of the array's +x axis, where it is known.
    """
    values = message_values(bearing.estimates)
    sources = [
        {"azimuth_deg": a, "std_deg": _known(s), "interval_deg": [_known(x) for x in i], "power_db": _known(p)}
        for a, s, i, p in zip(
            values["azimuth_deg"].tolist(), values["std_deg"].tolist(), _intervals(values), values["power_db"].tolist(),
            strict=True,
        )
        if a == a
    ]  # fmt: skip
    message: dict[str, Any] = {
        "schema": SIGNAL_SCHEMA,
        "version": __version__,
        "array": array,
        "method": method,
        **signal_values(signal, start_s, time),
        "n_sources": len(sources),
        "sources": sources,
        "fit": values.get("fit"),
        "track": None,
    }
    if bearing.shared > 1:
        message["calibration"] = {"signals": bearing.shared}
    return oriented(message, heading_deg)


def signal_values(signal: Signal, start_s: float = 0.0, time: float | None = None) -> dict[str, Any]:
    """What is known of a signal before anybody has asked where it comes from; arguments as in `signal_message`."""
    return {
        "id": signal.id,
        "frequency_hz": signal.frequency_hz,
        "bandwidth_hz": signal.bandwidth_hz,
        "start_s": start_s + signal.start_s,
        "stop_s": start_s + signal.stop_s,
        "time": None if time is None else time + signal.start_s,
        "duty": signal.duty,
        "snr_db": signal.snr_db,
        "snapshots": signal.snapshots,
    }


def signal_annotations(message: dict[str, Any], recording: Recording) -> list[dict[str, Any]]:
    """SigMF annotations of a signal, one a source; none beyond the end of the recording."""
    start = recording.sample_at(message["start_s"])
    rate = recording.sample_rate_hz
    if start is None or rate is None:
        return []
    count = min(round((message["stop_s"] - message["start_s"]) * rate), recording.n_samples - start)
    half = message["bandwidth_hz"] / 2
    where = {
        "core:freq_lower_edge": message["frequency_hz"] - half, "core:freq_upper_edge": message["frequency_hz"] + half,
        "doamc:snr_db": message["snr_db"], "doamc:duty": message["duty"], "doamc:signal": message["id"],
    }  # fmt: skip
    told = message | {"snapshots": count, "seq": message["id"]}
    return [annotation(told, s, recording.offset + start) | where for s in message["sources"]]


def _intervals(values: dict[str, Any]) -> list[list[float]]:
    interval = values["interval_deg"]
    if interval is None:
        return [[float("nan")] * 2] * len(values["azimuth_deg"])
    return [list(map(float, pair)) for pair in interval]


def _known(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
