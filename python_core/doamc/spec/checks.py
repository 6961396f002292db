"""Checks of a parsed specification table: every wrong entry becomes one SpecificationError that names it."""

import math
import re
from typing import Any

from doamc.errors import SpecificationError
from doamc.text import SHOWN, one_line, shown

KNOWN_KEYS = {
    "sector": {"azimuth_deg", "elevation_deg", "min_separation_deg"},
    "sources": {"count", "power_db"},
    "snapshots": {"count", "snr_db"},
}
MAX_DB = 200.0  #: of powers and SNR, either way
MAX_DEGREES = 720.0  #: of the ends of a sector, either way
MAX_SNAPSHOTS = 10**9
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 500


def name_of(table: dict[str, Any]) -> str:
    """The name: letters, digits, dashes, underscores, since files are named after it."""
    name = table.get("name")
    if not isinstance(name, str):
        raise SpecificationError(f"expected a string 'name', found {shown(table.get('name', 'none'))}")
    if not NAME.fullmatch(name):
        raise SpecificationError(
            f"name must be 1 to 64 letters, digits, dashes and underscores, since files are named after it, found "
            f"{shown(name)}"
        )
    return name


def description_of(table: dict[str, Any]) -> str:
    """The description, one line."""
    text = table.get("description", "")
    if not isinstance(text, str) or len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise SpecificationError(
            f"description must be one line of at most {MAX_DESCRIPTION} characters, found {shown(text)}"
        )
    return text


def section(table: dict[str, Any], name: str, *needed: str, known: set[str] | None = None) -> dict[str, Any]:
    """The table [name] with its needed keys and no key beyond the known ones (a misspelt key is not passed over)."""
    part = table.get(name, None if needed else {})
    if not isinstance(part, dict):
        raise SpecificationError(f"expected a table [{name}], found {'none' if part is None else shown(part)}")
    for key in needed:
        if key not in part:
            found = one_line(", ".join(part), SHOWN) or "nothing"
            raise SpecificationError(f"expected {key!r} in [{name}], found {found}")
    known = KNOWN_KEYS[name] if known is None else known
    unknown = sorted(part.keys() - known)
    if unknown:
        raise SpecificationError(f"[{name}] takes {', '.join(sorted(known))}, found {shown(unknown[0])}")
    return part


def number(part: dict[str, Any], name: str, key: str, default: float, low: float, high: float) -> float:
    """A finite number in [low, high]."""
    value = part.get(key, default)
    if not is_number(value) or not low <= value <= high:
        raise SpecificationError(f"[{name}] {key} must be a number from {low:g} to {high:g}, found {shown(value)}")
    return float(value)


def whole(part: dict[str, Any], name: str, key: str, low: int, high: int) -> int:
    """A whole number in low..high."""
    value = part[key]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecificationError(f"[{name}] {key} must be a whole number in {low}..{high}, found {shown(value)}")
    return value


def span(part: dict[str, Any], name: str, key: str, default: list[float], most: float) -> tuple[float, float]:
    """A pair [low, high] of finite numbers, -most <= low <= high <= most."""
    value = part.get(key, default)
    if not is_pair(value):
        raise SpecificationError(f"[{name}] {key} must be [low, high] with low <= high, found {shown(value)}")
    if max(-value[0], value[1]) > most:
        raise SpecificationError(f"[{name}] {key} must lie within {-most:g} to {most:g}, found {shown(value)}")
    return float(value[0]), float(value[1])


def whole_span(part: dict[str, Any], name: str, key: str, default: list[int]) -> tuple[int, int]:
    """A pair [low, high] of whole numbers, 1 <= low <= high <= 10^9."""
    low, high = span(part, name, key, [float(v) for v in default], float(MAX_SNAPSHOTS))
    if low != int(low) or high != int(high) or low < 1:
        found = shown(part[key])
        raise SpecificationError(f"[{name}] {key} must be whole numbers [low, high] from 1 on, found {found}")
    return int(low), int(high)


def is_number(value: Any) -> bool:
    """Whether value is a finite number, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def is_pair(value: Any) -> bool:
    """Whether value is [low, high], finite, low <= high."""
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(is_number, value)) and value[0] <= value[1]
