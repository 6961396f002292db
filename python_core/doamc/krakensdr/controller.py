"""What can be set on a receiver, and how a version of the protocol says it."""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from doamc.errors import ReceiverError
from doamc.text import shown

NAMES = ("frequency_hz", "gain_db", "squelch", "stability_delay_ms")
#: the value of ``gain_db`` by which the receiver chooses its gains
AUTOMATIC = "auto"


def canonical(name: Any, value: Any) -> tuple[str, Any] | None:
    """A setting as the controllers take it; None when nothing is to be set.

    ``agc`` (true) is a ``gain_db`` of ``auto``, and so is a negative one. Other values are finite numbers; those of
    ``gain_db`` a list. Raises ReceiverError when there is no such setting, or its value is none.
    """
    if name == "agc":
        return ("gain_db", AUTOMATIC) if value else None  # there is no command that ends it but gains
    if name not in NAMES:
        raise ReceiverError(f"expected one of agc, {', '.join(NAMES)}, found {shown(name)}")
    if name == "gain_db" and isinstance(value, str) and value == AUTOMATIC:
        return name, value
    try:
        numbers = [float(v) for v in (value if np.ndim(value) else [value])]
    except (TypeError, ValueError, OverflowError) as error:
        raise ReceiverError(f"expected numbers for {name}, found {shown(value)} ({error})") from error
    if not all(math.isfinite(n) for n in numbers) or (name != "gain_db" and np.ndim(value)):
        raise ReceiverError(f"expected a finite number for {name}, found {shown(value)}")
    if name != "gain_db":
        return name, numbers[0]
    automatic = len(numbers) == 1 and numbers[0] < 0
    return name, AUTOMATIC if automatic else numbers


class Controller(ABC):
    """The control channel of one version; used by one thread at a time but for `message`.

    Attributes: version, period_s (how often `look` is due), pending (whether a command is on its way).
    """

    version: int
    period_s: float = 1.0

    @property
    @abstractmethod
    def pending(self) -> bool:
        """Whether a command is on its way: sent, its reply not here yet."""

    @property
    def news(self) -> dict[str, Any]:
        """What the receiver tells of itself, plain values; empty where it tells nothing."""
        return {}

    @abstractmethod
    def message(self, name: str, value: Any) -> bytes:
        """The command of a setting (see `canonical`). Raises ReceiverError when it could never be set."""

    @abstractmethod
    def send(self, name: str, message: bytes) -> None:
        """Send a command until it is confirmed. Raises ReceiverError when it is not (yet)."""

    @abstractmethod
    def look(self) -> None:
        """See what the receiver shows of what was confirmed. Raises ReceiverError when it shows something else."""

    @abstractmethod
    def close(self) -> None:
        """Take leave of the server."""
