"""Emulator of a heimdall server: frames of a simulated scene or a recording, with faults on demand.

One client at a time, as the real one. Frames are numbered and stamped as if they came from a receiver that runs
continuously: a paced server leaves out those that nobody fetched in time.

It forgives as little as the original: a client that leaves before it has read the frame it asked for ends it for good,
there by SIGPIPE at the next write; what one read brings must be one word. Only where a fault of its own made the client
leave does it go on.
"""

import socket
import threading
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ReceiverError
from doamc.krakensdr.faults import FAULTS, Faults
from doamc.krakensdr.listen import listen
from doamc.krakensdr.sources import FrameSource
from doamc.krakensdr.version1.emulated_control import ControlServer
from doamc.krakensdr.version1.frame import Header
from doamc.krakensdr.version1.line import Frames, Line
from doamc.krakensdr.version1.replay import Replay
from doamc.krakensdr.version1.spoiled import spoiled

_TICK_S = 0.1
#: a client that takes no bytes for so long is left
_SEND_S = 10.0
#: faults that make a client leave at once, which it may
_OWN_DOING = "bad-sync", "garbage", "stall"


class Emulator:
    """Data and control servers in threads of their own; a context manager that starts and stops them.

    source: the frames, or a recording that is replayed with its own gaps and settings. host, port, control_port: where
    it listens; 0 takes free ports, told by the attributes. paced: at the source's sample rate; else as fast as frames
    are asked for. faults: see `Faults`. frames: end of the data after so many requests; 0 for ever. settling: frames
    without sync after a change of frequency. forgiving: go on when a client leaves in the middle of a frame.
    control_delay_s: until a command takes effect and is confirmed.
    Attributes: line (the frames), faulty (counts by kind), requests (frames asked for, repeats apart), control, serving
    (whether a client is), left (clients that left in the middle of a frame), ended (what ended the server before its
    time, or None), done (set at the end of the data, whatever its reason).
    Raises ReceiverError when a port cannot be bound.
    """

    def __init__(
        self, source: FrameSource | Replay, host: str = "127.0.0.1", port: int = 0, control_port: int = 0,
        paced: bool = True, faults: Faults | None = None, frames: int = 0, settling: int = 1, forgiving: bool = False,
        control_delay_s: float = 0.0,
    ) -> None:  # fmt: skip
        self.faults, self.frames, self.host, self._forgiving = faults or Faults(), frames, host, forgiving
        self._settling, self._unsettled = 0 if isinstance(source, Replay) else settling, 0
        self.requests = self.left = 0
        self.serving = False
        self.ended: str | None = None
        self.faulty = dict.fromkeys(FAULTS, 0)
        self.done = threading.Event()
        self._end = threading.Event()
        self._again: tuple[Header, NDArray[np.complex64]] | None = None
        self._asked = False  # whether this client asked for a frame
        self._fault: str | None = None  # of the frame sent last
        self._listener = listen(host, port)
        self.port: int = self._listener.getsockname()[1]
        try:
            self.control = ControlServer(host, control_port, source.n_channels, source.frequency_hz, control_delay_s)
        except ReceiverError:
            self._listener.close()
            raise
        self.control.on_tuned = self._on_tuned
        self.line: Frames
        if isinstance(source, Replay):
            source.start(paced, self._end)
            self.line = source
        else:
            self.line = Line(source, paced, self.control, self._end)
        self._thread = threading.Thread(target=self._run, name="heimdall-emulator", daemon=True)

    @property
    def control_port(self) -> int:
        """Port of the control server."""
        return self.control.port

    @property
    def produced(self) -> int:
        """Frames numbered so far, of all restarts."""
        return self.line.produced

    @property
    def skipped(self) -> int:
        """Frames that came due unfetched."""
        return self.line.skipped

    def start(self) -> None:
        """Begin to serve."""
        self.control.start()
        self._thread.start()

    def stop(self) -> None:
        """End both servers and free their ports."""
        self._end.set()
        self.control.stop()
        if self._thread.is_alive():
            self._thread.join(_SEND_S)
        self._listener.close()

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            while not self._end.is_set() and self.ended is None:
                self._listener.settimeout(_TICK_S)
                with suppress(TimeoutError):
                    connection, _ = self._listener.accept()
                    with connection:
                        self._attend(connection)
        except Exception as error:
            if not self._end.is_set():
                self.ended = f"the server failed ({type(error).__name__}: {error})"
        if self.ended is not None:
            self._listener.close()
            self.done.set()

    def _attend(self, connection: socket.socket) -> None:
        """Serve a client until it takes leave, or is gone."""
        self._fault, self._asked, self.serving = None, False, True
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection)
        except TimeoutError:
            return  # it takes nothing
        except OSError as error:
            if self._asked and self._fault not in _OWN_DOING and not self._end.is_set():
                self.left += 1
                if not self._forgiving:
                    self.ended = f"a client left while a frame was on its way ({error}), which ends the original"
        finally:
            self.serving = False

    def _serve(self, connection: socket.socket) -> None:
        word = b"streaming"
        while not self._end.is_set():
            connection.settimeout(_TICK_S)
            try:
                heard = connection.recv(64)
            except TimeoutError:
                continue
            if heard != word:
                return  # ``q``, the end, or what the original takes for it
            word, self._asked = b"IQDownload", True
            connection.settimeout(_SEND_S)
            if not self._answer(connection):
                return

    def _answer(self, connection: socket.socket) -> bool:
        """Send a frame, or commit a fault; False ends the connection."""
        if self.frames and self.requests >= self.frames:
            self.done.set()
            return False
        again, self._again = self._again, None
        if again is not None:
            return self._send(connection, *again, None)
        fault = self._fault = self.faults.draw(self.requests)
        self.requests += 1
        if fault is not None:
            self.faulty[fault] += 1
        if fault == "restart":
            connection.close()
            self._restart()
            return False
        if fault == "drop":
            self.line.drop()
        frame = self.line.next()
        if self._end.is_set() or fault == "close" or frame is None:
            return False
        header, samples = frame
        _must_be_there(connection)
        if fault == "duplicate":
            self._again = header, samples
        return self._send(connection, header, samples, fault)

    def _send(
        self, connection: socket.socket, header: Header, samples: NDArray[np.complex64], fault: str | None
    ) -> bool:
        if fault == "garbage":
            connection.sendall(self.faults.rng.bytes(5000))
            return False
        wrong = fault
        if self._unsettled and fault not in ("bad-sync", "channels"):
            self._unsettled -= 1
            wrong = "unsynchronised"
        header, samples = spoiled(header, samples, wrong, self.faults.rng)
        connection.sendall(header.pack())
        if not samples.size:
            return True
        data = memoryview(np.ascontiguousarray(samples, "<c8").data).cast("B")
        half = len(data) // 2
        if fault == "truncate":
            connection.sendall(data[:half])
            return False
        if fault == "stall":
            connection.sendall(data[:half])
            self._end.wait(self.faults.stall_s)
            data = data[half:]
        connection.sendall(data)
        return True

    def _restart(self) -> None:
        """Be away, and begin anew on the same port."""
        self._listener.close()
        self._end.wait(self.faults.restart_s)
        self._again = None
        self.line.restart()
        self._listener = listen(self.host, self.port)

    def _on_tuned(self) -> None:
        self._unsettled = self._settling


def _must_be_there(connection: socket.socket) -> None:
    """Raise BrokenPipeError when the client has closed: small writes would still succeed once."""
    connection.setblocking(False)
    with suppress(BlockingIOError):
        if not connection.recv(1, socket.MSG_PEEK):
            raise BrokenPipeError("it closed before the frame came")
    connection.settimeout(_SEND_S)
