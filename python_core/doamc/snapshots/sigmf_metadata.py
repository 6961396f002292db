"""SigMF metadata, checked before anything relies on it: size, JSON, schema, and the types of what is used."""

import math
import re
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.files.remote import is_file
from doamc.files.small_file import parse_json, read_small
from doamc.text import SHOWN, one_line, reason, shown

#: bytes of metadata, beyond which they are not parsed
MAX_METADATA = 1 << 26
#: captures and annotations that are checked against the schema, 50 us each; what is used is checked in all of them
_VALIDATED = 1000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def parse_metadata(text: bytes, path: Path) -> dict[str, Any]:
    """Metadata of a recording that follow the SigMF schema, as far as `_VALIDATED` goes.

    Raises RecordingError that names a fault.
    """
    from jsonschema import ValidationError
    from sigmf import SigMFFile
    from sigmf.error import SigMFError

    metadata = metadata_object(text, path)
    for name in ("captures", "annotations"):  # the schema would report all that is wrong, not only the first
        parts = metadata.get(name)
        if not isinstance(parts, list) or not all(isinstance(p, dict) and "core:sample_start" in p for p in parts):
            raise RecordingError(f"{path}: not SigMF metadata (expected {name}, each with core:sample_start)")
    some = metadata | {name: metadata[name][:_VALIDATED] for name in ("captures", "annotations")}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that are used but not declared: they do no harm here
            SigMFFile(metadata=some).validate()
    except ValidationError as error:
        where = one_line("/".join(str(part) for part in error.absolute_path), SHOWN) or "the file"
        raise RecordingError(f"{path}: not SigMF metadata ({where}: {reason(error.message)})") from error
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, SigMFError) as error:
        raise RecordingError(f"{path}: not SigMF metadata ({reason(error)})") from error
    return metadata


def read_metadata(path: Path) -> bytes:
    """Bytes of a file of metadata. Raises RecordingError when it is missing, too large or cannot be read."""
    if not is_file(path):
        raise RecordingError(f"{path}: expected a recording, found no file {path.name}")
    return read_small(path, RecordingError, MAX_METADATA)


def metadata_object(text: bytes, path: Path) -> dict[str, Any]:
    """The JSON object that metadata are. Raises RecordingError where they are none."""
    try:
        return parse_json(text)
    except ValueError as error:
        raise RecordingError(f"{path}: not SigMF metadata ({reason(error)})") from error


def whole_field(part: dict[str, Any], key: str, path: Path, default: int, low: int = 0) -> int:
    """A whole number from `low` on. Raises RecordingError."""
    value = part.get(key, default)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or value != value // 1 or not low <= value < 2**63:
        raise RecordingError(f"{path}: expected {key} to be a whole number from {low} on, found {shown(value)}")
    return int(value)


def number_field(part: dict[str, Any], key: str, path: Path) -> float | None:
    """A finite number, or None where there is none; 0, or of a size that products survive. Raises RecordingError."""
    value = part.get(key)
    if value is None and key not in part:
        return None
    try:
        number = math.nan if isinstance(value, (bool, str)) or value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if number != 0 and not 1e-100 <= abs(number) <= 1e100:
        raise RecordingError(f"{path}: expected {key} to be a finite number, found {shown(value)}")
    return number


def unix_time(text: Any) -> float | None:
    """Unix time in s of an ISO 8601 moment (UTC where it names no zone); None when it is none, or before 1970."""
    match = _MOMENT.fullmatch(text) if isinstance(text, str) and len(text) < 80 else None
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        zone = match[3] or "Z"
        if zone != "Z":
            east = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
            moment -= east if zone[0] == "+" else -east
        seconds = moment.timestamp() + float(match[2] or 0.0)
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
