"""A server of an emulator that listens in a thread of its own, until it is stopped."""

import threading
from abc import ABC, abstractmethod

from doamc.krakensdr.listen import listen

#: how often a wait looks whether it is to end, s; how long a stop waits for the thread, s
TICK_S, _JOIN_S = 0.1, 2.0


class Listener(ABC):
    """Takes clients in, one after the other, and serves them as `_run` says.

    host, port: where it listens; 0 takes a free port, told by the attribute. name: of the thread.
    Raises ReceiverError when the port cannot be bound.
    """

    def __init__(self, host: str, port: int, name: str) -> None:
        self._listener = listen(host, port)
        self._listener.settimeout(TICK_S)
        self.port: int = self._listener.getsockname()[1]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End and free the port."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._listener.close()

    @abstractmethod
    def _run(self) -> None:
        """Accept and serve until the end is set."""
