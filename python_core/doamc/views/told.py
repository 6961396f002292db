"""What messages tell, from JSON or from GNU Radio: numbers that may be missing; and what is wrong with others."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

from doamc.errors import PublishError
from doamc.text import reason, shown

T = TypeVar("T")


def number(value: Any) -> float:
    """A number, NaN where None is told."""
    return math.nan if value is None else float(value)


def reading_of(message: dict[str, Any], expected: str, read: Callable[[dict[str, Any]], T]) -> T:
    """What `read` makes of a message. Raises PublishError, with what was expected, where it fails on a value."""
    try:
        return read(message)
    except KeyError as error:
        raise PublishError(f"expected {expected}, found one without {error}") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        why = reason(error) if isinstance(error, ValueError) else "a value of another type"
        raise PublishError(f"expected {expected}, found {shown(message)} ({why})") from error
