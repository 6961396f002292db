"""Settings of a receiver: each is sent until the control server confirms it, and told when it is not taken."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.client import Client
from doamc.krakensdr.controller import Controller, canonical

#: while the version of the server is not known, it is asked for so often, s
_UNKNOWN_S = 0.25
#: after so long what failed is tried again, and a tick is due, s; a little less than the slowest controller's period
_AGAIN_S = 0.9


class Settings:
    """Sends what was ordered, in a thread of its own, again every second until it is confirmed.

    client: tells which version the server speaks. controllers: of the versions. on_tick: called in the thread whenever
    there is news, and every second.
    Attributes: failures (orders that were not confirmed, once an attempt, and those that were not taken), error (text
    of the latest that stands, or None), news (what the receiver tells of itself).
    """

    def __init__(
        self, client: Client, controllers: Sequence[Controller], on_tick: Callable[[], None] = lambda: None
    ) -> None:
        self._client, self._controllers, self._on_tick = client, list(controllers), on_tick
        self._orders: dict[str, tuple[Any]] = {}  # what is not confirmed, in the order in which it was ordered
        self._lock = threading.Lock()
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._again = 0.0  # when what failed is tried again
        self._told: tuple[float, Any] = 0.0, None  # when `on_tick` was called last, and what was told then
        self.failures = 0
        self.error: str | None = None

    @property
    def news(self) -> dict[str, Any]:
        """What the receiver tells of itself: see the controllers."""
        controller = self._controller()
        return {} if controller is None else controller.news

    def order(self, name: str, value: Any) -> None:
        """Set something soon.

        name: ``frequency_hz`` (Hz), ``gain_db`` (dB, one or M of them; ``auto`` or negative: automatic), ``agc``
        (true), ``squelch`` (of version 1) or ``stability_delay_ms`` (of version 2).
        Raises ReceiverError when the value could never be set.
        """
        found = canonical(name, value)
        if found is not None:
            self._check(*found)
            with self._lock:
                self._orders.pop(found[0], None)
                self._orders[found[0]] = (found[1],)
                self._again = 0.0
            self._wake.set()

    def fail(self, error: Exception) -> None:
        """Count and tell an error."""
        self.failures += 1
        self.error = f"{type(error).__name__}: {error}"

    def start(self) -> None:
        """Start the thread."""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._end,), name="doamc-settings", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Ask the thread to take leave of the control server."""
        self._end.set()
        self._wake.set()

    def stop(self) -> None:
        """End the thread, within some seconds."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join(4.0)  # a connection and two replies at most
            self._thread = None

    def _controller(self) -> Controller | None:
        """That of the version that the server speaks; None before it is known."""
        version = self._client.version
        return next((c for c in self._controllers if c.version == version), None)

    def _check(self, name: str, value: Any) -> None:
        """Raise ReceiverError unless the server, or one that it may be, can be set so."""
        known = self._controller()
        errors = []
        for controller in self._controllers if known is None else [known]:
            try:
                controller.message(name, value)
                return
            except ReceiverError as error:
                errors.append(error)
        raise errors[0] if errors else ReceiverError(f"cannot set {name}: there is no control server")

    def _run(self, end: threading.Event) -> None:
        used: Controller | None = None
        self._told = 0.0, None
        while not end.is_set():
            controller = self._controller()
            if used is not None and used is not controller:
                used.close()
            used = controller
            if controller is not None:
                self._serve(controller, end)
            self._tick()
            self._wake.wait(_UNKNOWN_S if controller is None else controller.period_s)
            self._wake.clear()
        if used is not None:
            used.close()

    def _serve(self, controller: Controller, end: threading.Event) -> None:
        try:
            if time.monotonic() >= self._again:
                self._again = time.monotonic() + _AGAIN_S
                self._send(controller, end)
            controller.look()
        except ReceiverError as error:  # kept and tried again, for the server may come yet
            if controller.pending:
                self.error = str(error)  # late is not refused
            else:
                self.fail(error)
        except Exception as error:
            self.fail(error)

    def _send(self, controller: Controller, end: threading.Event) -> None:
        while not end.is_set():
            with self._lock:
                name, order = next(iter(self._orders.items()), ("", ("",)))
                if not name:
                    self._again = 0.0
                    return
            try:
                message = controller.message(name, *order)
            except ReceiverError:  # ordered before the version was known
                self._done(name, order)
                raise
            controller.send(name, message)
            self._done(name, order)
            self.error = None

    def _done(self, name: str, order: tuple[Any]) -> None:
        with self._lock:
            if self._orders.get(name) is order:  # else it was ordered anew meanwhile
                del self._orders[name]

    def _tick(self) -> None:
        news = self.error, self.failures, self.news
        now = time.monotonic()
        if news == self._told[1] and now < self._told[0] + _AGAIN_S:
            return
        self._told = now, news
        try:
            self._on_tick()
        except Exception as error:  # not ours, and no reason to set nothing any more
            self.fail(error)
