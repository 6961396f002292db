"""TOML files that people write: read whole and small, and whatever is wrong with one is an error of ours."""

import sys
from pathlib import Path
from typing import Any

from doamc.errors import DoamcError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST = 1 << 18  #: bytes; the longest list of positions that a specification takes fits a tenth of it


def read_toml(path: str | Path, refusal: type[DoamcError], largest: int = LARGEST) -> dict[str, Any]:
    """Parsed TOML of a file. Raises `refusal` when it cannot be read, has more than `largest` bytes or is no TOML."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
        if len(data) > largest:
            raise refusal(f"{path}: expected a TOML file of at most {largest >> 10} KiB, found a larger one")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise refusal(f"cannot read {path}: {error.strerror or error}") from error
    except RecursionError as error:
        raise refusal(f"{path}: not a TOML file that can be read (nested too deeply)") from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, too many digits, a null character in the path
        if isinstance(error, DoamcError):
            raise
        raise refusal(f"{path}: not a TOML file ({error})") from error
