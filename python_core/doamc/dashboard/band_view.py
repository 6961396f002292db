"""The parts of a signal and of a spectrum that the page "Band" shows."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: sources of a signal that are shown
MAX_SOURCES = 8
_MAX_TEXT = 80
_SIGNAL = ("id", "frequency_hz", "bandwidth_hz", "start_s", "stop_s", "duty", "snr_db")
_SOURCE = ("azimuth_deg", "std_deg", "interval_deg", "power_db")
_SPECTRUM = (
    "seq", "start_s", "stop_s", "frequency_hz", "sample_rate_hz", "low_hz", "step_hz", "resolution_hz", "slices",
    "dropped_slices",
)  # fmt: skip


def signal_view(message: dict[str, Any], received: float, heading_deg: float | None = None) -> dict[str, Any]:
    """View of a message of schema ``doamc.signal/1`` that has passed the border; received: Unix time here, s.

    heading_deg: true bearing of the array's +x axis where it is told here; None for that of the message.
    """
    view = {key: message[key] for key in _SIGNAL}
    view["received"], view["ended"] = received, message.get("ended", True)
    view["heading_deg"] = message.get("heading_deg") if heading_deg is None else heading_deg
    view["array"], view["method"] = message["array"][:_MAX_TEXT], message["method"][:_MAX_TEXT]
    view["latency_ms"] = (message.get("latency_ms") or {}).get("total")
    view["doubt"] = _doubt(message["fit"])
    view["sources"] = [
        {key: s[key] for key in _SOURCE} | {"track": s["track"]["id"] if s.get("track") else None}
        for s in message["sources"][:MAX_SOURCES]
    ]
    return view


def spectrum_view(message: dict[str, Any], received: float) -> dict[str, Any]:
    """View of a message of schema ``doamc.spectrum/1``: ``power`` and ``floor`` (or None) as `packed`."""
    floor = message["floor_dbfs"]
    return {key: message[key] for key in _SPECTRUM} | {
        "received": received,
        "clipped": message.get("clipped", 0.0),
        "power": packed(np.array(message["power_dbfs"])),
        "floor": None if floor is None else packed(np.array(floor)),
    }


def packed(level_db: NDArray[np.float64]) -> str:
    """Levels as base64 of 16-bit integers, little-endian, in tenths of a dB: half as long as JSON, and read at once."""
    tenths = np.clip(np.round(10 * level_db), -(2**15), 2**15 - 1).astype("<i2")
    return base64.b64encode(tenths.tobytes()).decode("ascii")


def _doubt(fit: dict[str, Any] | None) -> str | None:
    if not fit or not fit["doubtful"]:
        return None
    return (fit.get("cause") or "unknown")[:_MAX_TEXT]
