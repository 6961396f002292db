"""Small emulated servers, and waiting with a limit."""

import socket
import threading
import time
from contextlib import contextmanager

import numpy as np

from doamc.krakensdr import Client
from doamc.krakensdr.faults import Faults
from doamc.krakensdr.session import ABSENT
from doamc.krakensdr.version1 import Heimdall
from doamc.krakensdr.version1.emulator import Emulator

CHANNELS, LENGTH = 3, 40


class Counting:
    """Frames whose samples tell their number and channel: number + 1j channel, everywhere."""

    n_channels, cpi_length, frequency_hz = CHANNELS, LENGTH, 433.9e6

    def __init__(self, sample_rate_hz=1e5):
        self.sample_rate_hz = sample_rate_hz

    def frame(self, number):
        row = np.full((1, LENGTH), number, np.complex64)
        return row + 1j * np.arange(CHANNELS, dtype=np.float32)[:, None]


def emulator(**options):
    """An emulator that is not paced, of a source of counting frames."""
    faults = Faults(**{k: options.pop(k) for k in ("rates", "at", "stall_s", "restart_s", "seed") if k in options})
    return Emulator(options.pop("source", Counting()), paced=options.pop("paced", False), faults=faults, **options)


def take(client, count=None, until=None, limit_s=60.0):
    """Numbers of the frames taken, each checked to be whole; until so many, or until a condition holds."""
    numbers, begin = [], time.monotonic()
    while (count is None or len(numbers) < count) and not (until is not None and until()):
        assert time.monotonic() < begin + limit_s, (numbers[-5:], client.counters, client.state, client.last_error)
        frame = client.get(0.05)
        if frame is not None:
            number = frame.number
            assert np.array_equal(frame.samples, Counting().frame(number))
            numbers.append(number)
            client.release(frame)
    return numbers


def connected(server, **options):
    """A client of an emulator, by default more patient than a busy computer needs."""
    return client_of(server.port, **({"timeout_s": 20.0, "n_channels": CHANNELS} | options))


def leaving(server, timeout_s):
    """A client of an emulator that leaves it when it stalls for so long, and is patient from then on."""

    def on_state(state):
        if state == ABSENT:
            client.session.timeout_s = 20.0

    client = connected(server, timeout_s=timeout_s, on_state=on_state)
    return client


def client_of(port, on_state=None, **options):
    """A client of version 1 on this computer."""
    return Client("127.0.0.1", [Heimdall(port, **options)], on_state)


@contextmanager
def rogue(answer):
    """A server that answers every connection by a function of it and of an event that is set at the end; its port."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def run():
        listener.settimeout(0.05)
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                continue
            with connection:
                connection.settimeout(20.0)
                try:
                    answer(connection, ended)
                except OSError:
                    pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        thread.join(20.0)
        listener.close()


def wait_for(condition, limit_s=60.0):
    """Wait until a condition holds."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + limit_s
        time.sleep(0.005)
