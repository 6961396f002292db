"""Files that are read as a whole, if they are not too large: what people write, and what describes recordings.

Text is UTF-8; a byte order mark before it, as editors of Windows put there, is passed over.
"""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from doamc.errors import DoamcError
from doamc.files.remote import file_at
from doamc.text import reason

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: bytes of what people write; the longest list of positions that a specification takes fits a tenth of it
LARGEST = 1 << 18
#: entries of JSON, each of which takes some hundred bytes of memory
MAX_ENTRIES = 1 << 22


def read_small(path: str | Path, refusal: type[DoamcError], largest: int = LARGEST) -> bytes:
    """Bytes of a file. Raises `refusal` when it cannot be read or has more than `largest` bytes."""
    try:
        with file_at(path).open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise refusal(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a null character in the path
        raise refusal(f"cannot read {path}: {error}") from error
    if len(data) > largest:
        raise refusal(f"{path}: expected a file of at most {largest >> 10} KiB, found a larger one")
    return data


def read_toml(path: str | Path, refusal: type[DoamcError], largest: int = LARGEST) -> dict[str, Any]:
    """Parsed TOML of a file. Raises `refusal` when it cannot be read, has more than `largest` bytes or is no TOML."""
    data = read_small(path, refusal, largest)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise refusal(f"{path}: not a TOML file that can be read (nested too deeply)") from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, too many digits
        raise refusal(f"{path}: not a TOML file ({reason(error)})") from error


def read_json(path: str | Path, refusal: type[DoamcError], largest: int = LARGEST) -> dict[str, Any]:
    """The JSON object of a file. Raises `refusal` when it cannot be read, has more than `largest` bytes or is none."""
    try:
        return parse_json(read_small(path, refusal, largest))
    except DoamcError:
        raise
    except ValueError as error:
        raise refusal(f"{path}: expected a JSON object ({reason(error)})") from error


def parse_json(text: bytes) -> dict[str, Any]:
    """The JSON object of a UTF-8 text, without NaN and infinities. Raises ValueError that says why there is none."""
    if sum(text.count(mark) for mark in (b"{", b"[", b",")) > MAX_ENTRIES:
        raise ValueError(f"expected at most {MAX_ENTRIES} entries, found more")
    try:
        table = json.loads(text.decode("utf-8-sig"), parse_constant=no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(table, dict):
        raise ValueError(f"expected a JSON object, found a {type(table).__name__}")
    return table


def no_constant(name: str) -> NoReturn:
    """Refuse a name that Python takes for a number and JSON does not, as ``parse_constant``. Raises ValueError."""
    raise ValueError(f"{name} is not JSON")
