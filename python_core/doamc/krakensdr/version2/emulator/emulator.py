"""Emulator of the KrakenSDR suite, version 2: packets to every client at once, with faults on demand, and its control.

It streams whether somebody listens or not, at the receiver's rate, by a monotonic clock. A client that is slow loses
packets of its own queue, or is left; the others never wait for it.
"""

import threading
import time
from functools import partial
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.faults import Faults
from doamc.krakensdr.version2.control import FREQUENCY_HZ, GAIN_DB
from doamc.krakensdr.version2.emulator.clients import Clients
from doamc.krakensdr.version2.emulator.control import ControlServer
from doamc.krakensdr.version2.emulator.faults import FAULTS
from doamc.krakensdr.version2.emulator.operation import Operated, execute, status
from doamc.krakensdr.version2.emulator.payloads import Payloads
from doamc.krakensdr.version2.emulator.replay import RECONNECT, Replay
from doamc.krakensdr.version2.emulator.stream import Stream
from doamc.krakensdr.version2.emulator.tuner import Times, Tuner

_TICK_S = 0.1
#: a computer that is this late leaves packets out, as a receiver whose buffer overflows, s
_BEHIND_S = 0.5
#: how long a replay waits for the second of several clients to come back, s
_BACK_S = 2.0
#: most packets that wait for a client
_ROOM = 1 << 16


class SuiteEmulator:
    """Data and control servers in threads of their own; a context manager that starts and stops them.

    heard: the samples, or a recording that is replayed, which has a rate, frequencies, gains and states of its own, and
    no faults. rate_hz, frequency_hz, gain_db: of the receiver. host, port, control_port: where it listens; 0 takes free
    ports, told by the attributes. times: of the receiver's states. paced: at the rate; else as fast as the
    slowest client takes them, and only while there is one; states last by the time of the stream either way. faults:
    of the known `FAULTS`; each happens to all clients. packets: end of the data after so many; 0 for ever. room:
    packets that wait for a client. close_when_full: leave a client that is too slow. status_s: between two statuses of
    the control server. control_delay_s: until a command is executed and answered.
    Attributes: stream, tuner, clients (with their accounts), control, skipped (packets that passed while the computer
    was too late, or during a restart), ended (what ended the data before its time, or None), done (set at its end).
    Raises ReceiverError when a port cannot be bound or a value is out of range.
    """

    def __init__(
        self, heard: Payloads | Replay, rate_hz: float = 2.4e6, frequency_hz: float = 433.9e6, gain_db: float = 20.0,
        host: str = "127.0.0.1", port: int = 0, control_port: int = 0, times: Times | None = None, paced: bool = True,
        faults: Faults | None = None, packets: int = 0, room: int = 64, close_when_full: bool = False,
        status_s: float = 0.5, control_delay_s: float = 0.0,
    ) -> None:  # fmt: skip
        low, high = FREQUENCY_HZ
        if not 1 <= rate_hz <= 1e9 or not low <= frequency_hz <= high or not 1 <= room <= _ROOM:
            raise ReceiverError(
                f"expected a rate of 1 to 1e9 Hz, a frequency of {low:g} to {high:g} Hz and room for 1 to {_ROOM} "
                f"packets, found {rate_hz:g}, {frequency_hz:g} and {room}"
            )
        if not gain_db <= GAIN_DB[1]:
            raise ReceiverError(f"expected a gain up to {GAIN_DB[1]:g} dB, negative: automatic; found {gain_db:g}")
        self.tuner: Operated
        self.stream: Stream | Replay
        if isinstance(heard, Replay):
            self.tuner = self.stream = heard
        else:
            self.tuner = tuner = Tuner(times or Times(), frequency_hz, gain_db)
            self.stream = Stream(heard, tuner, rate_hz, faults or Faults(known=FAULTS))
        self.paced, self.packets = paced, packets
        self.skipped, self._begin = 0, 0.0
        self.ended: str | None = None
        self.done, self._end = threading.Event(), threading.Event()
        self.clients = Clients(host, port, room, close_when_full)
        try:
            do = partial(execute, self.tuner)
            self.control = ControlServer(host, control_port, do, self.status, status_s, control_delay_s)
        except ReceiverError:
            self.clients.close()
            raise
        self._thread = threading.Thread(target=self._run, name="krakensdr-stream", daemon=True)

    @property
    def port(self) -> int:
        """Port of the data server."""
        return self.clients.port

    @property
    def control_port(self) -> int:
        """Port of the control server."""
        return self.control.port

    def start(self) -> None:
        """Begin to serve."""
        self.control.start()
        self.clients.start()
        self._thread.start()

    def stop(self) -> None:
        """End both servers and free their ports."""
        self._end.set()
        self.control.stop()
        self.clients.stop("the server was stopped")
        if self._thread.is_alive():
            self._thread.join(10.0)

    def __enter__(self) -> "SuiteEmulator":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _run(self) -> None:
        self._begin = time.monotonic()
        try:
            while not self._end.is_set() and not (self.packets and self.stream.produced >= self.packets):
                if self._wait():
                    parcels, fault = self.stream.next()
                    self.clients.send(parcels)
                    if fault == "restart":
                        self._restart()
                    elif fault == RECONNECT:
                        self._connect_anew()
        except Exception as error:
            if not self._end.is_set():
                self.ended = f"the server failed ({type(error).__name__}: {error})"
        self.clients.close()
        self.clients.leave(self.ended or ("the server was stopped" if self._end.is_set() else "the end of the data"))
        self.done.set()

    def _wait(self) -> bool:
        """Whether the next packet is due; it waits for a while at most."""
        stream = self.stream
        if not self.paced:
            outlets = self.clients.serving
            if not outlets:
                self._end.wait(0.001)
            return bool(outlets) and all([o.wait_for_room(_TICK_S) for o in outlets])
        left_s = self._begin + stream.due_s - time.monotonic()
        if left_s > 0:
            self._end.wait(min(left_s, _TICK_S))
            return left_s <= _TICK_S and not self._end.is_set()
        if -left_s > _BEHIND_S:
            self._catch_up()
        return True

    def _catch_up(self) -> None:
        """Let the packets pass that were due by now, if there are any; a recording goes on later instead."""
        now_s = time.monotonic() - self._begin
        if isinstance(self.stream, Replay):
            self._begin += now_s - self.stream.due_s
        else:
            count = max(0, int(now_s / self.stream.packet_s) - self.stream.produced)
            self.stream.produced += count
            self.skipped += count

    def _restart(self) -> None:
        """Be away, and begin anew on the same port; the receiver's time goes on."""
        self.clients.close()
        self.clients.leave("a fault: restart")
        if isinstance(self.stream, Stream):
            self._end.wait(self.stream.faults.restart_s)
            if self.paced:
                self._catch_up()
            self.stream.restart()
        if not self._end.is_set():
            self.clients.listen_again()

    def _connect_anew(self) -> None:
        """Leave all clients, unless nothing was sent yet, and wait for them to come back."""
        wanted = max(1, len(self.clients.serving))
        if self.stream.produced:
            self.clients.leave("the recording was of a new connection from here on")
        since = time.monotonic()
        while (found := len(self.clients.serving)) < wanted and not self._end.wait(0.001):
            if found and time.monotonic() > since + _BACK_S:
                break
        self._begin = time.monotonic() - self.stream.played_s

    def status(self) -> dict[str, Any]:
        """What the control server tells twice a second."""
        return status(self.tuner, self.stream)

    def as_dict(self) -> dict[str, Any]:
        """What was produced and sent, for JSON."""
        return {
            "packets": self.stream.produced, "skipped": self.skipped, "unheard": self.clients.unheard,
            "faults": dict(self.stream.faulty), "ended": self.ended, "all": self.clients.total().as_dict(),
            "clients": [a.as_dict() for a in self.clients.accounts],
        }  # fmt: skip
