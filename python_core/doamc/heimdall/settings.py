"""Settings of a receiver: each is sent until the control server confirms it, and gains until the frames show them."""

import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from doamc.errors import ReceiverError
from doamc.heimdall.client import Client
from doamc.heimdall.control import Control, pack, pack_frequency, pack_gains, pack_squelch
from doamc.text import shown

NAMES = ("frequency_hz", "gain_db", "agc", "squelch")
#: how long a reply is waited for between two looks at what else is to be done, s
_REPLY_S = 1.0
_AGAIN_S = 1.0
#: good frames after which gains that were confirmed but do not show in them count as refused
_FRAMES = 16


class Settings:
    """Sends what was ordered, in a thread of its own, again every second until it is confirmed.

    host, port: of the control server. n_channels: channels M. client: its frames show the gains. on_tick: called in the
    thread after every attempt, and every second.
    Attributes: failures (orders that were not confirmed, once an attempt, and gains that were not taken), error (text
    of the latest that stands, or None).
    """

    def __init__(
        self, host: str, port: int, n_channels: int, client: Client, on_tick: Callable[[], None] = lambda: None
    ) -> None:
        self._address, self._n, self._client, self._on_tick = (host, port), n_channels, client, on_tick
        self._orders: dict[str, bytes] = {}  # messages that are not confirmed, in the order of their orders
        self._gains: tuple[tuple[float, ...], int] | None = None  # confirmed, dB, and how many frames had passed
        self._lock = threading.Lock()
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.failures = 0
        self.error: str | None = None

    def order(self, name: str, value: Any) -> None:
        """Set ``frequency_hz`` (Hz), ``gain_db`` (dB, one or M of them), ``agc`` (true) or ``squelch``, soon.

        Raises ReceiverError when the value could never be set.
        """
        message = self._message(name, value)
        if message is not None:
            with self._lock:
                self._orders.pop(name, None)
                self._orders[name] = message
            self._wake.set()

    def fail(self, error: Exception) -> None:
        """Count and tell an error."""
        self.failures += 1
        self.error = f"{type(error).__name__}: {error}"

    def start(self) -> None:
        """Start the thread."""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._end,), name="doamc-heimdall-control", daemon=True)
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

    def _message(self, name: str, value: Any) -> bytes | None:
        try:
            if name == "frequency_hz":
                return pack_frequency(float(value))
            if name == "gain_db":
                return pack_gains(self._gains_of(value))
            if name == "squelch":
                return pack_squelch(float(value))
        except (TypeError, ValueError, OverflowError) as error:
            raise ReceiverError(f"expected numbers for {name}, found {shown(value)} ({error})") from error
        if name != "agc":
            raise ReceiverError(f"expected one of {', '.join(NAMES)}, found {name!r}")
        return pack(b"AGC ") if value else None  # there is no command that ends it but gains

    def _gains_of(self, value: Any) -> list[float]:
        gains = [float(value)] * self._n if np.ndim(value) == 0 else [float(g) for g in value]
        if len(gains) != self._n:
            raise ReceiverError(f"expected one gain or {self._n}, found {len(gains)}")
        return gains

    def _run(self, end: threading.Event) -> None:
        control = Control(*self._address, timeout_s=_REPLY_S)
        self._tick()
        while not end.is_set():
            try:
                self._send(control, end)
                self._check()
            except ReceiverError as error:  # kept and tried again, for the server may come yet
                if control.pending:
                    self.error = str(error)  # late is not refused
                else:
                    self.fail(error)
            except Exception as error:
                self.fail(error)
            self._tick()
            self._wake.wait(_AGAIN_S)
            self._wake.clear()
        control.close()

    def _tick(self) -> None:
        try:
            self._on_tick()
        except Exception as error:  # not ours, and no reason to set nothing any more
            self.fail(error)

    def _send(self, control: Control, end: threading.Event) -> None:
        while not end.is_set():
            with self._lock:
                name, message = next(iter(self._orders.items()), ("", b""))
            if not message:
                return
            control.request(message)
            with self._lock:
                if self._orders.get(name) is message:  # else it was ordered anew meanwhile
                    del self._orders[name]
            self.error = None
            if name == "gain_db":
                gains = struct.unpack_from(f"<{self._n}I", message, 4)
                self._gains = tuple(g / 10 for g in gains), self._client.counters.passed
            elif name == "agc":
                self._gains = None

    def _check(self) -> None:
        """Compare gains that were confirmed with frames that came later."""
        header = self._client.header
        if self._gains is None or header is None or not header.usable:
            return
        wanted, before = self._gains
        if header.gains_db == wanted:
            self._gains = None
        elif self._client.counters.passed >= before + _FRAMES:
            self._gains = None
            raise ReceiverError(
                f"expected gains of {list(wanted)} dB in the frames, as confirmed, found {list(header.gains_db)}: the "
                "controller did not take them, or takes one for all channels (unified_gain_control)"
            )
