"""What the page is given of an estimate: checked, bounded, and without what it does not show."""

from typing import Any

from doamc.errors import PublishError
from doamc.estimates.message import ESTIMATE_SCHEMA, validate

MAX_SOURCES = 32
MAX_ELEMENTS = 64
MAX_MODES = 16
_MAX_TEXT = 80
_MAX_NUMBER = 1e15
_PLAIN = ("seq", "time", "sample_time", "frequency_hz", "noise_power", "snapshots", "dropped_batches")
_SOURCE = ("azimuth_deg", "std_deg", "power_db", "interval_deg")


def estimate_view(message: dict[str, Any], received: float) -> dict[str, Any]:
    """View of a message of schema ``doamc.estimate/1``; received: Unix time of arrival here, s.

    Raises PublishError when the message breaks its schema or is larger than the page shows (`MAX_SOURCES`,
    `MAX_ELEMENTS`) or with a number beyond 1e15.
    """
    if message.get("schema") != ESTIMATE_SCHEMA:
        raise PublishError(f"expected a message of {ESTIMATE_SCHEMA}, found {str(message.get('schema'))[:40]!r}")
    sources, coupling = message.get("sources"), message.get("coupling")
    if isinstance(sources, list) and len(sources) > MAX_SOURCES:  # before the schema's own, slower check
        raise PublishError(f"expected at most {MAX_SOURCES} sources, found {len(sources)}")
    if isinstance(coupling, dict) and isinstance(coupling.get("re"), list) and len(coupling["re"]) > MAX_ELEMENTS:
        raise PublishError(f"expected at most {MAX_ELEMENTS} elements, found {len(coupling['re'])}")
    validate(message)
    view = {key: message[key] for key in _PLAIN}
    view["received"] = received
    view["array"], view["method"] = message["array"][:_MAX_TEXT], message["method"][:_MAX_TEXT]
    view["has_coupling"] = message["coupling"] is not None
    view["latency_ms"] = {key: message["latency_ms"][key] for key in ("buffer", "inference", "total")}
    view["sources"] = [{key: source.get(key) for key in _SOURCE} for source in message["sources"]]
    view["effective_snapshots"] = message.get("effective_snapshots")
    view["modes"] = [
        {"share": mode["share"], "azimuth_deg": mode["azimuth_deg"][:MAX_SOURCES]}
        for mode in message.get("modes", [])[:MAX_MODES]
    ]
    view["source_probability"] = message.get("source_probability", [])[: MAX_SOURCES + 1]
    _check_size(view)
    return view


def coupling_view(message: dict[str, Any]) -> dict[str, Any] | None:
    """Coupling matrix of a message: ``re``, ``im`` and ``std`` (None when not told), lists of N rows of N numbers.

    None when the message has no coupling. Raises PublishError when a matrix is not square or a number beyond 1e15.
    """
    coupling = message["coupling"]
    if coupling is None:
        return None
    spread = message.get("coupling_std")
    n = len(coupling["re"])
    for name, rows in (("re", coupling["re"]), ("im", coupling["im"]), ("coupling_std", spread)):
        if rows is not None and (len(rows) != n or any(len(row) != n for row in rows)):
            raise PublishError(f"expected {n} rows of {n} numbers as {name} of the coupling matrix")
    view = {"re": coupling["re"], "im": coupling["im"], "std": spread}
    _check_size(view)
    return view


def _check_size(value: Any) -> None:
    """Raise PublishError when a number is larger than any that means something: JSON's may have 400 digits."""
    if isinstance(value, (int, float)) and not abs(value) <= _MAX_NUMBER:
        raise PublishError(f"expected numbers within {_MAX_NUMBER:g}, found {str(value)[:40]}")
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_size(inner)
