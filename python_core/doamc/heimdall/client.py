"""Client of a heimdall IQ server: frames that can be used, every other one counted, whatever the server does.

A thread of its own connects, requests and reads; it waits for nothing without a limit, and nothing that a server does
ends it. Whoever takes the frames sees a queue that is empty while the server is away.

The original server ends by SIGPIPE when its client leaves while a frame is on its way: a frame that was asked for is
read to its end before the client says ``q``, however it is stopped, unless the server does not send it in time.
"""

import atexit
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from doamc.errors import ReceiverError
from doamc.heimdall.counters import Counters, Numbering
from doamc.heimdall.frame import DATA, HEADER_SIZE, Frame, Header
from doamc.heimdall.link import Halt, Link

#: waits between attempts to connect, s: doubled from the first to the last while they fail
_BACK_OFF_S = 0.05, 0.5
#: frames may be this many times later than their own signal time before they count as stalled
_PATIENCE = 3.0
#: the first frame of a connection may take so many timeouts, and so many s: how long frames last is not known yet, and
#: to leave too early ends the server
_FIRST, _FIRST_S = 4.0, 2.0
#: no header is waited for longer, whatever duration the one before announced, s
_LONGEST_S = 30.0
#: at a stop, the frame on its way may take so long beyond its own signal time, which counts up to a limit, s
_LEAVE_S, _LEAVE_SIGNAL_S = 2.0, 8.0

#: states: no server; connected, nothing came; good frames; frames without sync or samples; frames of other channels
ABSENT, WAITING, STREAMING, UNSYNCHRONISED, MISMATCH, STOPPED = (
    "absent", "waiting", "streaming", "unsynchronised", "mismatch", "stopped",
)  # fmt: skip


@dataclass
class _Buffer:
    """Memory of a frame; replaced when a larger one comes, since views of the old one may be left."""

    data: bytearray = field(default_factory=bytearray)


class Client:
    """Frames of a server, one after the other; a context manager that starts and stops the thread.

    Take them with `get` and give each back with `release`: there are ``buffers`` of them, and while none is free the
    server is not asked for more (what it drops meanwhile is a gap, counted as lost).

    host, port: of the data server. n_channels: channels M expected; None takes any. timeout_s: silence within a frame
    that counts as a stall, as does less than `link.SLOWEST`. The next header may take three frames; the first one of a
    connection four timeouts, or 2 s, up to 8 times that while connections bring nothing; 30 s at most.
    on_state: called with the new state in the client's thread (``stopped``: in that of `stop`).
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
        self._halt = Halt()
        self._lost, self._first = 0, True  # what the next good frame will tell
        self._doublings = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; again is harmless."""
        if self._thread is None or not self._thread.is_alive():
            self._halt = Halt()
            self._thread = threading.Thread(target=self._run, args=(self._halt,), name="doamc-heimdall", daemon=True)
            self._thread.start()
            atexit.register(self.stop)  # a program that ends by an error leaves the server alive, too

    def stop(self) -> None:
        """Take leave: the frame on its way is read, within 2 s and its own duration; frames that wait are dropped."""
        atexit.unregister(self.stop)
        thread, self._thread = self._thread, None
        if thread is None:
            return
        signal_s = 0.0 if self.header is None else min(self.header.duration_s, _LEAVE_SIGNAL_S)
        self._halt.ask(_LEAVE_S + signal_s)
        with self._change:
            self._change.notify_all()
        thread.join(_LEAVE_S + signal_s + 1.0)  # beyond, it waits for a name server, and ends by its own halt
        while self._ready:
            self.release(self._ready.popleft())
        self._tell(STOPPED)

    def get(self, timeout_s: float | None = None) -> Frame | None:
        """The oldest frame that waits; None when none came in time or the client was stopped."""
        with self._change:
            self._change.wait_for(lambda: self._ready or self._halt.is_set(), timeout_s)
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

    def _run(self, halt: Halt) -> None:
        wait_s = _BACK_OFF_S[0]
        while not halt.is_set():
            heard = self.counters.frames
            try:
                with Link(self._address, self._timeout_s, halt) as link:
                    if not halt.is_set():
                        self.counters.connects += 1
                        self._session(link, halt)
            except Exception as error:  # whatever a server can provoke: the next one may be better
                if not halt.is_set():
                    self._fail(error)
            wait_s = _BACK_OFF_S[0] if self.counters.frames > heard else min(2 * wait_s, _BACK_OFF_S[1])
            halt.wait(wait_s)

    def _session(self, link: Link, halt: Halt) -> None:
        self._tell(WAITING)
        self._first = fresh = True
        self._numbering.connected()
        request = b"streaming"
        head = bytearray(HEADER_SIZE)
        while (buffer := self._buffer(halt)) is not None:
            frame = None
            try:
                link.send(request)
                frame = self._receive(link, head, buffer, fresh)
            finally:
                if frame is None:
                    self._give(buffer)
            if frame is not None:
                with self._change:
                    self._owners[id(frame.samples)] = buffer
                    self._ready.append(frame)
                    self._change.notify_all()
            request, fresh = b"IQDownload", False
        with suppress(OSError):
            link.send(b"q")

    def _receive(self, link: Link, head: bytearray, buffer: _Buffer, fresh: bool) -> Frame | None:
        """Read one frame; None when it is not to be passed on. fresh: it is the first one of its connection."""
        link.read(HEADER_SIZE, head, self._patience_s(fresh))
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
        fault = self._fault(header)
        size = header.payload_size
        if len(buffer.data) < size:
            buffer.data = bytearray()
        try:
            link.read(size, None if repeated or fault else buffer.data, self._timeout_s)
        except (OSError, ReceiverError):
            if not repeated:
                self._numbering.broken()
                self._lost += 1
            raise
        if repeated:
            self.counters.duplicates += 1
            return None
        return self._judge(header, fault, buffer)

    def _fault(self, header: Header) -> str | None:
        """Why a frame is kept back, by the name of its counter; None when it is good."""
        if header.frame_type != DATA:
            return "not_data"
        if not header.synchronised:
            return "not_synchronised"
        if self._channels not in (None, header.active_ant_chs):
            return "wrong_channels"
        return None if header.usable else "wrong_samples"

    def _judge(self, header: Header, fault: str | None, buffer: _Buffer) -> Frame | None:
        """A complete frame, or None when it is of no use; either way it is counted."""
        count = self.counters
        count.frames += 1
        if fault is not None:
            setattr(count, fault, getattr(count, fault) + 1)
            if fault == "wrong_channels":
                self.last_error = f"expected {self._channels} channels, found {header.active_ant_chs}"
            self._tell(MISMATCH if fault == "wrong_channels" else UNSYNCHRONISED)
            return None
        count.passed += 1
        count.overdriven += header.adc_overdrive_flags != 0
        shape = header.active_ant_chs, header.cpi_length
        samples = np.frombuffer(buffer.data, "<c8", shape[0] * shape[1]).reshape(shape)
        frame = Frame(header, samples, self._lost, self._first)
        self._lost, self._first = 0, False
        self._tell(STREAMING)
        return frame

    def _patience_s(self, fresh: bool) -> float:
        """How long the next header may take."""
        known = 0.0 if self.header is None else _PATIENCE * self.header.duration_s
        least = max(_FIRST * self._timeout_s, _FIRST_S) if fresh else self._timeout_s
        return min(max(known, least * 2**self._doublings), _LONGEST_S)

    def _buffer(self, halt: Halt) -> _Buffer | None:
        """A free buffer, waiting for one; None at the end."""
        with self._change:
            self._change.wait_for(lambda: self._free or halt.is_set())
            return None if halt.is_set() else self._free.pop()

    def _give(self, buffer: _Buffer) -> None:
        with self._change:
            self._free.append(buffer)

    def _fail(self, error: Exception) -> None:
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
                try:
                    self._on_state(state)
                except Exception as error:  # not ours: it must cost neither the connection nor the thread
                    self.last_error = f"on_state: {type(error).__name__}: {error}"
