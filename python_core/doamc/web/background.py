"""A server in an event loop and a thread of its own, for those who have none."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, Protocol

#: s that opening or closing may take
_PATIENCE_S = 30.0


class Opens(Protocol):
    """A server of an event loop."""

    async def open(self) -> None:
        """Listen."""

    async def close(self) -> None:
        """Let the peers go; again is harmless."""


class Background:
    """Opens a server and runs it until closed; a context manager. Raises what opening it raises."""

    def __init__(self, server: Opens) -> None:
        self._server, self._loop = server, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="doamc-web", daemon=True)
        self._thread.start()
        try:
            self.do(server.open())
        except BaseException:
            self.close()
            raise

    def do(self, coroutine: Coroutine[Any, Any, Any], timeout_s: float = _PATIENCE_S) -> Any:
        """Result of a coroutine that runs in the loop. Raises TimeoutError when it takes too long."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_s)

    def close(self) -> None:
        """Close the server and end the thread; again is harmless."""
        if self._loop.is_closed():
            return
        with suppress(TimeoutError, FutureTimeoutError):  # one class from Python 3.11 on
            self.do(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        if not self._loop.is_running():
            self._loop.close()

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
