"""Client of a heimdall IQ server: frames that can be used, every other one counted, whatever the server does.

A thread of its own connects, requests and reads; it waits for nothing without a limit. Whoever takes the frames sees a
queue that is empty while the server is away.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from doamc.errors import ReceiverError
from doamc.heimdall.counters import Counters, Numbering
from doamc.heimdall.frame import DATA, HEADER_SIZE, Frame, Header

#: waits between attempts to connect, s: doubled from the first to the last while they fail
_BACK_OFF_S = 0.05, 0.5
#: limit of one attempt, s. With the last wait it keeps below 2 s what a server that is back waits for us
_CONNECT_S = 1.0
#: a connection that brings less than this, in bytes a second, is taken for stalled
_SLOWEST = 1e6
#: frames may be this many times later than their own signal time before they count as stalled
_PATIENCE = 3.0

#: states: no server; connected, nothing came; good frames; frames without sync or samples; frames of other channels
ABSENT, WAITING, STREAMING, UNSYNCHRONISED, MISMATCH, STOPPED = (
    "absent", "waiting", "streaming", "unsynchronised", "mismatch", "stopped",
)  # fmt: skip


@dataclass
class _Buffer:
    """Memory of one frame; replaced when a frame of another size comes, since views of the old one may be left."""

    data: bytearray = field(default_factory=bytearray)


class Client:
    """Frames of a server, one after the other; a context manager that starts and stops the thread.

    Take them with `get` and give each back with `release`: there are ``buffers`` of them, and while none is free the
    server is not asked for more (what it drops meanwhile is a gap, counted as lost).

    host, port: of the data server. n_channels: channels M expected; None takes any. timeout_s: silence that counts as
    a stall; it grows with the frames' own duration, and doubles, up to 8 times, while connections bring nothing.
    on_state: called with the new state in the client's thread.
    Attributes: counters, state, last_error (text or None), header (the latest, or None).
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 5000, n_channels: int | None = None, timeout_s: float = 1.5,
        buffers: int = 3, on_state: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        if not timeout_s > 0 or buffers < 1 or not 0 < port < 65536:
            raise ReceiverError(
                f"expected timeout_s > 0, buffers >= 1 and a port 1..65535, found {timeout_s}, {buffers} and {port}"
            )
        self._address, self._channels, self._timeout_s = (host, port), n_channels, float(timeout_s)
        self._on_state = on_state
        self.counters = Counters()
        self.state = ABSENT
        self.last_error: str | None = None
        self.header: Header | None = None
        self._numbering = Numbering(self.counters)
        self._free = [_Buffer() for _ in range(buffers)]
        self._owners: dict[int, _Buffer] = {}  # of the frames handed out, by id of their samples
        self._ready: deque[Frame] = deque()
        self._change = threading.Condition()
        self._end = threading.Event()
        self._socket: socket.socket | None = None
        self._lost, self._first = 0, True  # what the next good frame will tell
        self._doublings = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; again is harmless."""
        if self._thread is None or not self._thread.is_alive():
            self._end.clear()
            self._thread = threading.Thread(target=self._run, name="doamc-heimdall", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and the connection, within two seconds; frames that wait are dropped."""
        self._end.set()
        with self._change:
            self._change.notify_all()
        connection = self._socket
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads
        if self._thread is not None:
            self._thread.join(2.0)
        while self._ready:
            self.release(self._ready.popleft())

    def get(self, timeout_s: float | None = None) -> Frame | None:
        """The oldest frame that waits; None when none came in time or the client was stopped."""
        with self._change:
            self._change.wait_for(lambda: self._ready or self._end.is_set(), timeout_s)
            return self._ready.popleft() if self._ready else None

    def release(self, frame: Frame) -> None:
        """Give a frame back; its samples must not be used any more. Again is harmless."""
        with self._change:
            buffer = self._owners.pop(id(frame.samples), None)
            if buffer is not None:
                self._free.append(buffer)
                self._change.notify_all()

    def __enter__(self) -> "Client":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _run(self) -> None:
        wait_s = _BACK_OFF_S[0]
        while not self._end.is_set():
            heard = self.counters.frames
            try:
                with socket.create_connection(self._address, min(_CONNECT_S, self._timeout_s)) as self._socket:
                    self.counters.connects += 1
                    self._session(self._socket)
            except (OSError, ReceiverError) as error:
                self._fail(error)
            finally:
                self._socket = None
            wait_s = _BACK_OFF_S[0] if self.counters.frames > heard else min(2 * wait_s, _BACK_OFF_S[1])
            self._end.wait(wait_s)
        self._tell(STOPPED)

    def _session(self, connection: socket.socket) -> None:
        self._tell(WAITING)
        self._first = True
        self._numbering.connected()
        _watch(connection)
        request = b"streaming"
        head = bytearray(HEADER_SIZE)
        while (buffer := self._buffer()) is not None:
            try:
                connection.settimeout(self._timeout_s)
                connection.sendall(request)
                frame = self._receive(connection, head, buffer)
            except BaseException:
                self._give(buffer)
                raise
            if frame is None:
                self._give(buffer)
            else:
                with self._change:
                    self._owners[id(frame.samples)] = buffer
                    self._ready.append(frame)
                    self._change.notify_all()
            request = b"IQDownload"
        with suppress(OSError):
            connection.sendall(b"q")

    def _receive(self, connection: socket.socket, head: bytearray, buffer: _Buffer) -> Frame | None:
        """Read one frame; None when it is not to be passed on."""
        self._read(connection, memoryview(head), self._patience_s())
        try:
            header = Header.parse(head)
        except ReceiverError:
            self._numbering.malformed()
            raise
        self._doublings = 0
        repeated, missing, anew = self._numbering.see(header)
        self._lost += missing
        self._first |= anew
        self.header = header
        size = header.payload_size
        if len(buffer.data) != size:
            buffer.data = bytearray(size)
        try:
            self._read(connection, memoryview(buffer.data), self._timeout_s)
        except (OSError, ReceiverError):
            if not repeated and not self._end.is_set():
                self._numbering.broken()
                self._lost += 1
            raise
        if repeated:
            self.counters.duplicates += 1
            return None
        return self._judge(header, buffer)

    def _judge(self, header: Header, buffer: _Buffer) -> Frame | None:
        """A complete frame, or None when it is of no use; either way it is counted."""
        count = self.counters
        count.frames += 1
        if header.frame_type != DATA:
            count.not_data += 1
        elif not header.synchronised:
            count.not_synchronised += 1
        elif self._channels not in (None, header.active_ant_chs):
            count.wrong_channels += 1
            self.last_error = f"expected {self._channels} channels, found {header.active_ant_chs}"
            self._tell(MISMATCH)
            return None
        elif not header.usable:
            count.wrong_samples += 1
        else:
            count.passed += 1
            count.overdriven += header.adc_overdrive_flags != 0
            samples = np.frombuffer(buffer.data, "<c8").reshape(header.active_ant_chs, header.cpi_length)
            frame = Frame(header, samples, self._lost, self._first)
            self._lost, self._first = 0, False
            self._tell(STREAMING)
            return frame
        self._tell(UNSYNCHRONISED)
        return None

    def _read(self, connection: socket.socket, view: memoryview, patience_s: float) -> None:
        """Fill a view. Raises ReceiverError when the server closes, falls silent or trickles."""
        begin = heard = time.monotonic()
        limit, size, done = patience_s + self._timeout_s + len(view) / _SLOWEST, len(view), 0
        with view:
            while done < size:
                left = min(heard + patience_s, begin + limit) - time.monotonic()
                if left <= 0 or self._end.is_set():
                    raise ReceiverError(f"expected {size} bytes, found silence after {done}: the server stalls")
                connection.settimeout(left)
                try:
                    count = connection.recv_into(view[done:])
                except TimeoutError:
                    continue
                if not count:
                    raise ReceiverError(f"expected {size} bytes, found the connection closed after {done}")
                done, heard = done + count, time.monotonic()

    def _patience_s(self) -> float:
        """How long the next header may take."""
        known = 0.0 if self.header is None else _PATIENCE * self.header.duration_s
        return max(known, self._timeout_s * 2**self._doublings)

    def _buffer(self) -> _Buffer | None:
        """A free buffer, waiting for one; None at the end."""
        with self._change:
            self._change.wait_for(lambda: self._free or self._end.is_set())
            return None if self._end.is_set() else self._free.pop()

    def _give(self, buffer: _Buffer) -> None:
        with self._change:
            self._free.append(buffer)

    def _fail(self, error: Exception) -> None:
        if self._end.is_set():
            return
        self.counters.failures += 1
        if self.state == ABSENT:
            self._numbering.absent()
        elif self.state == WAITING:  # its frames may be longer than we would wait
            self._doublings = min(self._doublings + 1, 3)
        host, port = self._address
        self.last_error = f"{host}:{port}: {error}"
        self._tell(ABSENT)

    def _tell(self, state: str) -> None:
        if state != self.state:
            self.state = state
            if self._on_state is not None:
                self._on_state(state)


def _watch(connection: socket.socket) -> None:
    """Send requests at once, and notice within seconds a server that was cut off without a word."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
