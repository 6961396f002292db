"""Several outputs as one: where one of them fails, its loss is counted and told, and the others go on."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from doamc.errors import PublishError
from doamc.signals import uninterrupted


class Output(Protocol):
    """Takes estimates until it is closed."""

    def write(self, message: dict[str, Any]) -> None:
        """Take a message ``doamc.estimate/1``."""

    def close(self) -> None:
        """Finish; again is harmless."""


class Outputs:
    """Several outputs as one; a context manager.

    outputs: by the name that a person knows them by. tell: called with a sentence when one fails for the first time;
    an output that failed is tried again with the next estimate, for a full disk may have been cleared.
    Attributes: outputs, taken (estimates given to all), lost (estimates that an output did not take, by its name),
    errors (the newest of each that failed, its closing included).
    """

    def __init__(self, outputs: Mapping[str, Output], tell: Callable[[str], None] = lambda sentence: None) -> None:
        self.outputs, self._tell = dict(outputs), tell
        self.taken = 0
        self.lost: dict[str, int] = {}
        self.errors: dict[str, Exception] = {}
        self._closed = False

    def write(self, message: dict[str, Any]) -> None:
        """Give an estimate to every output; never raises, and a signal that ends the program does so after it."""
        self.taken += 1
        with uninterrupted():  # else the newest estimate would be in some of them
            for name, output in self.outputs.items():
                if not self._did(name, partial(output.write, message)):
                    self.lost[name] = self.lost.get(name, 0) + 1

    def close(self) -> None:
        """Close all; never raises, and again is harmless."""
        if not self._closed:
            self._closed = True
            for name, output in self.outputs.items():
                self._did(name, output.close)

    def check(self) -> None:
        """Raise PublishError, after `close`, when anything was lost. The reasons have been told."""
        found = [
            f"{name} without {self.lost[name]} of {self.taken} estimates" if name in self.lost else f"{name} unfinished"
            for name in self.errors
        ]
        if found:
            reason = f" ({next(iter(self.errors.values()))})" if len(found) == 1 else ""
            raise PublishError(f"expected whole outputs, found {', '.join(found)}{reason}")

    def __enter__(self) -> "Outputs":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _did(self, name: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except Exception as error:
            if name not in self.errors:
                self._tell(f"{name}: {error}; the other outputs go on")
            self.errors[name] = error
            return False
        return True
