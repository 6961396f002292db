"""The part of an estimate that the page shows."""

from typing import Any

from doamc.estimates.orientation import oriented

MAX_MODES = 16
_MAX_TEXT, _MAX_WORDS = 80, 300
_PLAIN = ("seq", "time", "sample_time", "frequency_hz", "noise_power", "snapshots", "dropped_batches")
_SOURCE = ("azimuth_deg", "std_deg", "power_db", "interval_deg", "bearing_deg", "bearing_interval_deg", "elevation_deg",
           "elevation_std_deg", "elevation_interval_deg", "elevation_correlation")  # fmt: skip


def estimate_view(message: dict[str, Any], received: float, heading_deg: float | None = None) -> dict[str, Any]:
    """View of a message of schema ``doamc.estimate/1`` that has passed the border; received: Unix time here, s.

    heading_deg: true bearing of the array's +x axis where it is told here; None for that of the message.
    """
    message = oriented(message, heading_deg)
    view = {key: message[key] for key in _PLAIN}
    view["heading_deg"] = message.get("heading_deg")
    view["received"] = received
    view["array"], view["method"] = message["array"][:_MAX_TEXT], message["method"][:_MAX_TEXT]
    view["has_coupling"] = message["coupling"] is not None
    view["latency_ms"] = {key: message["latency_ms"][key] for key in ("buffer", "inference", "total")}
    view["sources"] = [{key: source.get(key) for key in _SOURCE} for source in message["sources"]]
    view["effective_snapshots"] = message.get("effective_snapshots")
    view["fit"] = {key: (message.get("fit") or {}).get(key) for key in ("misfit", "doubtful", "cause", "model")}
    view["left_out"] = message.get("snapshots_left_out", 0)
    view["modes"] = [
        {key: mode[key] for key in ("share", "azimuth_deg", "elevation_deg") if key in mode}
        for mode in message.get("modes", [])[:MAX_MODES]
    ]
    view["alike"] = message.get("alike", "")[:_MAX_WORDS]
    view["source_probability"] = message.get("source_probability", [])
    return view


def coupling_view(message: dict[str, Any]) -> dict[str, Any] | None:
    """Coupling matrix of a message: ``re``, ``im`` and ``std`` (None when not told), lists of N rows of N numbers.

    None when the message has no coupling.
    """
    coupling = message["coupling"]
    if coupling is None:
        return None
    return {"re": coupling["re"], "im": coupling["im"], "std": message.get("coupling_std")}
