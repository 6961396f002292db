"""Rows of the logs that spreadsheets and databases open: one a source, plain columns, units in their names."""

import math
from datetime import datetime, timezone
from typing import Any

#: columns in their order, with their types in SQL; what is not known is empty. Bearings run clockwise from true north,
#: low and high are the central 90 %, powers are over those of a source of 0 dB
COLUMNS: dict[str, str] = {
    "time_utc": "TEXT", "time_s": "REAL", "sample_time_s": "REAL", "seq": "INTEGER", "frequency_hz": "REAL",
    "array": "TEXT", "method": "TEXT", "n_sources": "INTEGER", "source": "INTEGER", "azimuth_deg": "REAL",
    "std_deg": "REAL", "low_deg": "REAL", "high_deg": "REAL", "bearing_deg": "REAL", "bearing_low_deg": "REAL",
    "bearing_high_deg": "REAL", "heading_deg": "REAL", "power_db": "REAL", "noise_db": "REAL", "snapshots": "INTEGER",
    "latency_ms": "REAL", "latitude_deg": "REAL", "longitude_deg": "REAL", "misfit": "REAL", "doubtful": "INTEGER",
    "cause": "TEXT", "elevation_deg": "REAL", "elevation_std_deg": "REAL", "elevation_low_deg": "REAL",
    "elevation_high_deg": "REAL",
}  # fmt: skip
#: digits after the point, by the unit: finer than any estimate, and no noise of binary fractions
_DIGITS = {"s": 6, "deg": 4, "db": 3, "ms": 3, "hz": 3}
_DIGITS_OF = {"latitude_deg": 7, "longitude_deg": 7, "misfit": 3}


def log_rows(message: dict[str, Any]) -> list[list[Any]]:
    """Rows of a message ``doamc.estimate/1``, one a source, values by `COLUMNS`, None where one is not known."""
    noise, receiver, fit = message["noise_power"], message.get("receiver") or {}, message.get("fit") or {}
    doubtful = fit.get("doubtful")
    about = {
        "time_utc": _date(message["time"]),
        "time_s": message["time"],
        "sample_time_s": message["sample_time"],
        "heading_deg": message.get("heading_deg"),
        "noise_db": 10 * math.log10(noise) if noise else None,
        "latency_ms": message["latency_ms"]["total"],
        "latitude_deg": receiver.get("latitude"),
        "longitude_deg": receiver.get("longitude"),
        "misfit": fit.get("misfit"),
        "doubtful": None if doubtful is None else int(doubtful),
        "cause": fit.get("cause"),
    } | {k: message[k] for k in ("seq", "frequency_hz", "array", "method", "n_sources", "snapshots")}
    return [
        [_rounded(name, row[name]) for name in COLUMNS]
        for row in (about | _source(i, source) for i, source in enumerate(message["sources"], 1))
    ]


def spreadsheet_text(value: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _source(number: int, source: dict[str, Any]) -> dict[str, Any]:
    low, high = source.get("interval_deg") or (None, None)
    bearing_low, bearing_high = source.get("bearing_interval_deg") or (None, None)
    elevation_low, elevation_high = source.get("elevation_interval_deg") or (None, None)
    return {
        "source": number, "azimuth_deg": source["azimuth_deg"], "std_deg": source["std_deg"], "low_deg": low,
        "high_deg": high, "bearing_deg": source.get("bearing_deg"), "bearing_low_deg": bearing_low,
        "bearing_high_deg": bearing_high, "power_db": source["power_db"],
        "elevation_deg": source.get("elevation_deg"), "elevation_std_deg": source.get("elevation_std_deg"),
        "elevation_low_deg": elevation_low, "elevation_high_deg": elevation_high,
    }  # fmt: skip


def _rounded(name: str, value: Any) -> Any:
    digits = _DIGITS_OF.get(name, _DIGITS.get(name.rpartition("_")[2]))
    return value if digits is None or not isinstance(value, (int, float)) else round(float(value), digits)


def _date(time_s: float) -> str | None:
    """ISO 8601 with ms, in UTC; None beyond the years that have four digits."""
    try:
        moment = datetime.fromtimestamp(time_s, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
