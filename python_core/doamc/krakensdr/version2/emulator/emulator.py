"""Emulator of the KrakenSDR suite, version 2: packets to every client at once, with faults on demand, and its control.

It streams whether somebody listens or not, at the receiver's rate, by a monotonic clock. A client that is slow loses
packets of its own queue, or is left; the others never wait for it.
"""

import math
import threading
import time
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.faults import Faults
from doamc.krakensdr.version2.control import DELAY_MS, FREQUENCY_HZ, GAIN_DB
from doamc.krakensdr.version2.emulator.clients import Clients
from doamc.krakensdr.version2.emulator.control import ControlServer, number_of
from doamc.krakensdr.version2.emulator.faults import FAULTS
from doamc.krakensdr.version2.emulator.payloads import Payloads
from doamc.krakensdr.version2.emulator.stream import Stream
from doamc.krakensdr.version2.emulator.tuner import Times, Tuner
from doamc.text import shown

_TICK_S = 0.1
#: a computer that is this late leaves packets out, as a receiver whose buffer overflows, s
_BEHIND_S = 0.5
#: most packets that wait for a client
_ROOM = 1 << 16


class SuiteEmulator:
    """Data and control servers in threads of their own; a context manager that starts and stops them.

    payloads: the samples. rate_hz, frequency_hz, gain_db: of the receiver. host, port, control_port: where it listens;
    0 takes free ports, told by the attributes. times: of the receiver's states. paced: at the rate; else as fast as the
    slowest client takes them, and only while there is one; states last by the time of the stream either way. faults:
    of the known `FAULTS`; each happens to all clients. packets: end of the data after so many; 0 for ever. room:
    packets that wait for a client. close_when_full: leave a client that is too slow. status_s: between two statuses of
    the control server. control_delay_s: until a command is executed and answered.
    Attributes: stream, tuner, clients (with their accounts), control, skipped (packets that passed while the computer
    was too late, or during a restart), ended (what ended the data before its time, or None), done (set at its end).
    Raises ReceiverError when a port cannot be bound or a value is out of range.
    """

    def __init__(
        self, payloads: Payloads, rate_hz: float = 2.4e6, frequency_hz: float = 433.9e6, gain_db: float = 20.0,
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
        self.tuner = Tuner(times or Times(), frequency_hz, gain_db)
        self.stream = Stream(payloads, self.tuner, rate_hz, faults or Faults(known=FAULTS))
        self.paced, self.packets = paced, packets
        self.skipped, self._begin = 0, 0.0
        self.ended: str | None = None
        self.done, self._end = threading.Event(), threading.Event()
        self.clients = Clients(host, port, room, close_when_full)
        try:
            self.control = ControlServer(host, control_port, self._execute, self.status, status_s, control_delay_s)
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
        left_s = self._begin + (stream.produced + 1) * stream.packet_s - time.monotonic()
        if left_s > 0:
            self._end.wait(min(left_s, _TICK_S))
            return left_s <= _TICK_S and not self._end.is_set()
        if -left_s > _BEHIND_S:
            self._skip(self._due() - stream.produced)
        return True

    def _due(self) -> int:
        """Packets that were received whole by now."""
        return int((time.monotonic() - self._begin) / self.stream.packet_s)

    def _skip(self, count: int) -> None:
        """Let packets pass, if there are any."""
        self.stream.produced += max(0, count)
        self.skipped += max(0, count)

    def _restart(self) -> None:
        """Be away, and begin anew on the same port; the receiver's time goes on."""
        self.clients.close()
        self.clients.leave("a fault: restart")
        self._end.wait(self.stream.faults.restart_s)
        if self.paced:
            self._skip(self._due() - self.stream.produced)
        self.stream.restart()
        if not self._end.is_set():
            self.clients.listen_again()

    def _execute(self, command: dict[str, Any]) -> None:
        """Do what a control client asks for. Raises ReceiverError on anything else."""
        name = command.get("command")
        if name == "set_frequency":
            self.tuner.tune(number_of(command, "frequency", *FREQUENCY_HZ))
        elif name == "set_gain":
            self.tuner.set_gain(number_of(command, "gain", -math.inf, GAIN_DB[1]))
        elif name == "set_stability_delay":
            self.tuner.set_cooling(number_of(command, "delay_ms", *DELAY_MS) / 1e3)
        else:
            raise ReceiverError(f"expected one of set_frequency, set_gain, set_stability_delay, found {shown(name)}")

    def status(self) -> dict[str, Any]:
        """What the control server tells twice a second."""
        now, payloads, n = self.tuner.condition, self.stream.payloads, self.stream.n_channels
        return {
            "settings": {
                "center_freq": now.frequency_hz, "gain": now.gain_db, "sample_rate": self.stream.rate_hz,
                "rtl_tcp_channel": 0,
            },
            "num_channels": n, "operating_mode": "coherent", "cooldown_active": now.cooling_s > 0,
            "cooldown_remaining_ms": round(1e3 * now.cooling_s),
            "channel_comp": [{"amp_db": 0.0, "phase_deg": round(-float(p), 3)} for p in payloads.phases_deg[:n]],
            "coherence_events": self.tuner.coherence_events, "recovering": now.recovering,
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """What was produced and sent, for JSON."""
        return {
            "packets": self.stream.produced, "skipped": self.skipped, "unheard": self.clients.unheard,
            "faults": dict(self.stream.faulty), "ended": self.ended, "all": self.clients.total().as_dict(),
            "clients": [a.as_dict() for a in self.clients.accounts],
        }  # fmt: skip
