"""The last minute as files: JSON, the messages as they came, and CSV, a row a source."""

import csv
import io
from typing import Any

from doamc.dashboard.history import PastEstimate
from doamc.estimates.log_rows import spreadsheet_text as _text

COLUMNS = (
    "receiver", "received", "seq", "time", "sample_time", "frequency_hz", "array", "method", "source", "azimuth_deg",
    "std_deg", "low_deg", "high_deg", "power_db", "noise_power", "snapshots", "buffer_ms", "inference_ms", "total_ms",
    "dropped_batches", "heading_deg", "bearing_deg", "bearing_low_deg", "bearing_high_deg", "elevation_deg",
    "elevation_std_deg", "elevation_low_deg", "elevation_high_deg",
)  # fmt: skip


def as_json(receivers: list[tuple[str, list[PastEstimate]]]) -> bytes:
    """JSON array of objects ``{"receiver", "received", "message"}``, by receiver, oldest first."""
    import json

    parts = [
        b'{"receiver":%s,"received":%s,"message":%s}'
        % (json.dumps(name).encode(), repr(kept.received).encode(), kept.data)
        for name, history in receivers
        for kept in history
    ]
    return b"[" + b",\n".join(parts) + b"]\n"


def as_csv(receivers: list[tuple[str, list[PastEstimate]]]) -> bytes:
    """CSV with a head, a row a source, empty where a number is not known; an estimate without sources has one row."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for name, history in receivers:
        for kept in history:
            view = kept.view
            head = [_text(name), kept.received, *(view[k] for k in ("seq", "time", "sample_time", "frequency_hz"))]
            head += [_text(view["array"]), _text(view["method"])]
            tail = [view["noise_power"], view["snapshots"], *view["latency_ms"].values(), view["dropped_batches"]]
            tail.append(view["heading_deg"])
            for i, source in enumerate(view["sources"], 1):
                writer.writerow([*head, i, *_azimuth(source), *tail, *_bearing(source), *_elevation(source)])
            if not view["sources"]:
                writer.writerow([*head, *[None] * 6, *tail, *[None] * 7])
    return text.getvalue().encode()


def _azimuth(source: dict[str, Any]) -> list[Any]:
    return [source["azimuth_deg"], source["std_deg"], *(source["interval_deg"] or (None, None)), source["power_db"]]


def _bearing(source: dict[str, Any]) -> list[Any]:
    return [source["bearing_deg"], *(source["bearing_interval_deg"] or (None, None))]


def _elevation(source: dict[str, Any]) -> list[Any]:
    interval = source["elevation_interval_deg"] or (None, None)
    return [source["elevation_deg"], source["elevation_std_deg"], *interval]
