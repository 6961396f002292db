"""The border: bytes that another program sent become a message here, or are refused; nothing behind it checks again.

What passes is bounded (size, depth, numbers, length of lists), holds what its schema says, and its texts can be shown
on a terminal. Everything else raises PublishError, whose text is short and can be shown, too.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from doamc.errors import PublishError
from doamc.files.small_file import no_constant
from doamc.protocol import (
    ESTIMATE_SCHEMA,
    POSITION_SCHEMA,
    SIGNAL_SCHEMA,
    SKY_SCHEMA,
    SPECTRUM_SCHEMA,
    STATUS_SCHEMA,
    TRUTH_SCHEMA,
    WAVEFORMS_SCHEMA,
)
from doamc.text import SHOWN, one_line, printable, reason, shown

_FILES = {
    ESTIMATE_SCHEMA: "estimate.schema.json",
    STATUS_SCHEMA: "status.schema.json",
    TRUTH_SCHEMA: "truth.schema.json",
    SIGNAL_SCHEMA: "signal.schema.json",
    SPECTRUM_SCHEMA: "spectrum.schema.json",
    WAVEFORMS_SCHEMA: "waveforms.schema.json",
    SKY_SCHEMA: "sky.schema.json",
    POSITION_SCHEMA: "position.schema.json",
}
#: greatest length of a message, bytes: three matrices of 128 elements, which is what the schema allows, and the rest
MAX_MESSAGE_BYTES = 2 << 20
#: integers beyond this are not exact in every language; numbers beyond that are no measurement
MAX_INTEGER, MAX_NUMBER = 2**53, 1e60
MAX_DEPTH = 16
#: of one estimate, as the schema says
MAX_SOURCES, MAX_ELEMENTS = 64, 128


def decode(data: bytes) -> dict[str, Any]:
    """Message of UTF-8 JSON. Raises PublishError unless it is one JSON object that names a schema, within the bounds.

    Characters that a terminal would obey are replaced (`printable`).
    """
    try:
        if len(data) > MAX_MESSAGE_BYTES:
            raise ValueError(f"{len(data)} bytes, at most {MAX_MESSAGE_BYTES} are read")
        message = _bounded(json.loads(data.decode("utf-8"), parse_int=_integer, parse_constant=no_constant))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise PublishError(f"expected a JSON message, found {data[:40]!r} ({reason(error)})") from error
    if not isinstance(message, dict) or not isinstance(message.get("schema"), str):
        raise PublishError(f"expected a JSON object with a 'schema', found {data[:40]!r}")
    return message


def validate(message: dict[str, Any]) -> None:
    """Check a message against the JSON Schema it names, and that its matrices are square and of one size.

    Raises PublishError with the place of the first fault.
    """
    schema = str(message.get("schema"))
    problem = next(iter(_validator(schema).iter_errors(message)), None)
    if problem is not None:
        where = one_line("/".join(str(p) for p in problem.absolute_path), SHOWN) or "the message"
        raise PublishError(f"{schema}: {where}: {reason(problem.message)}")
    if schema == SPECTRUM_SCHEMA and len(message["floor_dbfs"] or message["power_dbfs"]) != len(message["power_dbfs"]):
        raise PublishError(f"{schema}: expected a floor_dbfs as long as power_dbfs, or null")
    if schema == SKY_SCHEMA and len({tuple(map(len, message[key])) for key in ("image", "std", "residual")}) > 1:
        raise PublishError(f"{schema}: expected image, std and residual of one shape")
    if schema == SKY_SCHEMA and len(set(map(len, message["image"]))) > 1:
        raise PublishError(f"{schema}: expected rows of one length")
    # keys beyond the schema are free, also those of messages that have no coupling
    matrices = dict(message["coupling"] or {}) if schema in (ESTIMATE_SCHEMA, TRUTH_SCHEMA) else {}
    if schema == ESTIMATE_SCHEMA and "coupling_std" in message:
        matrices["coupling_std"] = message["coupling_std"]
    n = len(next(iter(matrices.values()), ()))
    for name, rows in matrices.items():
        if len(rows) != n or any(len(row) != n for row in rows):
            raise PublishError(f"{schema}: expected {n} rows of {n} numbers as {name} of the coupling matrix")


def receive(frames: list[bytes]) -> tuple[str, dict[str, Any]]:
    """Topic and message of two frames. Raises PublishError unless the message is one of the topic's schema."""
    if len(frames) != 2:
        raise PublishError(f"expected two frames, topic and JSON, found {len(frames)}")
    topic, data = frames
    message = decode(data)
    name = message["schema"].rpartition("/")[0]
    if topic != name.encode():
        raise PublishError(f"expected a message of topic {topic[:40]!r}, found schema {shown(message['schema'])}")
    validate(message)
    return name, message


@lru_cache
def _validator(schema: str) -> Any:
    if schema not in _FILES:
        raise PublishError(f"schema must be one of {', '.join(_FILES)}, found {shown(schema)}")
    from jsonschema import Draft202012Validator, validators  # late: most users only send

    table = json.loads((Path(__file__).parent / _FILES[schema]).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(table)
    return validators.extend(Draft202012Validator, {"items": _items})(table)


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """Keyword ``items``; rows of numbers, of which matrices consist, are passed at once, ten times as fast."""
    if not (items == {"type": "number"} and isinstance(instance, list) and {type(v) for v in instance} <= {float, int}):
        from jsonschema import Draft202012Validator

        yield from Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)


def _bounded(value: Any, depth: int = 0) -> Any:
    """The value with texts that can be shown. Raises ValueError when it is too deep or a number is too large."""
    if isinstance(value, float):
        if not abs(value) <= MAX_NUMBER:  # 1e999 is JSON, too
            raise ValueError(f"a number beyond {MAX_NUMBER:g}")
        return value
    if isinstance(value, str):
        return printable(value)
    if not isinstance(value, (list, dict)):
        return value
    if depth == MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_bounded(v, depth + 1) for v in value]
    return {printable(k): _bounded(v, depth + 1) for k, v in value.items()}


def _integer(text: str) -> int:
    value = int(text) if len(text) <= 17 else MAX_INTEGER + 1  # thousands of digits take time to convert
    if abs(value) > MAX_INTEGER:
        raise ValueError(f"an integer beyond 2^53 of {len(text)} characters")
    return value
