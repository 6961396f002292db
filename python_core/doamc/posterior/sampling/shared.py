"""Random tables that samplers share: those of arrays at neighbouring wavelengths are the same, and megabytes each."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

_alive: WeakValueDictionary[tuple[Hashable, ...], Any] = WeakValueDictionary()
_turn = threading.Lock()


def shared(make: Callable[..., T], *arguments: Hashable) -> T:
    """What `make(*arguments)` gives: the same object as before, as long as anybody has it.

    make: a class whose objects depend on the arguments alone, and never change.
    """
    key = make, *arguments
    with _turn:
        found: T | None = _alive.get(key)
        if found is None:
            found = _alive[key] = make(*arguments)
        return found
