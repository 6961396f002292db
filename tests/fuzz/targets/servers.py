"""Peers on the network: KrakenSDR servers and their controllers, and browsers of the dashboard."""

import json
import logging
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random

import doamc.krakensdr.version1.heimdall as heimdall_module
from doamc.errors import DashboardError, PublishError
from doamc.krakensdr import Client
from doamc.krakensdr.link import STEP
from doamc.krakensdr.version1 import Control as Control1
from doamc.krakensdr.version1 import Header, Heimdall
from doamc.krakensdr.version1.frame import MAX_PAYLOAD
from doamc.krakensdr.version2 import Control, Suite
from tests.doamc.krakensdr.version2.serving import CHANNELS, LENGTH, Receiver, packet
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged

#: what version 2 tells of itself
CONDITION = json.dumps(Receiver().status()).encode() + b"\n"
LIMIT_S = 9.0


class Peer:
    """A server that says to each connection what `script` has next for it, and then what `answer` does."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.script: list[bytes] = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(LIMIT_S)
                if self.script:
                    connection.sendall(self.script.pop(0))
                else:
                    self._answer(connection)


def _frames(connection: socket.socket) -> None:
    number = 0
    while connection.recv(64) in (b"streaming", b"IQDownload"):
        connection.sendall(frame(number))
        number += 1


def _replies(connection: socket.socket) -> None:
    while connection.recv(128):
        connection.sendall(b"FNSD" + bytes(124))


def frame(number: int, **changes: int) -> bytes:
    about = {"active_ant_chs": CHANNELS, "cpi_length": LENGTH, "sampling_freq": 100_000, "cpi_index": number}
    header = Header(**(about | changes))
    return header.pack() + bytes(CHANNELS * LENGTH * 8)


@cache
def data_server() -> Peer:
    heimdall_module._LONGEST_S = 0.2  # a header may claim any duration
    return Peer(_frames)


@cache
def suite_server() -> Peer:
    def packets(connection: socket.socket) -> None:
        for number in range(100, 110):
            connection.sendall(packet(number % 100, changes=number))
        connection.recv(64)

    return Peer(packets)


@cache
def controller() -> Peer:
    return Peer(_replies)


#: words of a header that something depends on, and what they may be
WORDS = (0, 1, 7, 8, 10, 12, 14, 16, 18, 20, 21, 23, 24, 25, 26, 27, 59, 60, 61)
VALUES = (0, 1, 2, CHANNELS, 8, 16, 32, 33, LENGTH, 1 << 23, 1 << 31, 2**32 - 1)


def draw_header(random: Random) -> bytes:
    """A header with some words of it replaced; now and then not 1024 bytes."""
    raw = bytearray(frame(random.randrange(100))[:1024])
    for _ in range(random.choice([0, 1, 1, 2, 3, 8])):
        word = random.choice([*WORDS, random.randrange(256)])
        struct.pack_into("<I", raw, 4 * word, random.choice([*VALUES, random.getrandbits(32)]))
    return damaged(bytes(raw), random) if random.random() < 0.05 else bytes(raw)


def draw_stream(random: Random) -> bytes:
    """Frames, of which some are broken."""
    sizes = 0, 7, CHANNELS * LENGTH * 8
    data = b"".join(draw_header(random) + bytes(random.choice(sizes)) for _ in range(random.randint(1, 4)))
    return damaged(data, random) if random.random() < 0.3 else data


def use_header(data: bytes, folder: Path) -> None:
    header = Header.parse(data)
    assert 0 <= header.payload_size <= MAX_PAYLOAD and header.duration_s >= 0
    assert len(header.gains_db) == len(header.overdriven) == header.active_ant_chs <= 32


def use_stream(data: bytes, folder: Path) -> None:
    """After a server of any kind, a good one is received."""
    server = data_server()
    server.script = [data]
    with Client("127.0.0.1", [Heimdall(server.port, CHANNELS, 0.1)]) as client:
        while (got := client.get(LIMIT_S)) is not None:
            good = got.number == 5 and not server.script
            client.release(got)
            if good and client.session.header is not None and client.session.header.sampling_freq == 100_000:
                break
        assert got is not None, client.last_error
        assert all(len(buffer.data) <= 2 * STEP for buffer in client.pool.free)


def draw_packets(random: Random) -> bytes:
    """Packets, of which some are broken: words of their headers replaced, bytes lost or repeated."""
    data = b""
    for number in range(random.randint(1, 6)):
        raw = bytearray(packet(number, channels=random.choice([CHANNELS, CHANNELS, 4]), changes=number))
        for _ in range(random.choice([0, 0, 1, 2])):
            value = random.choice([*VALUES, 65536, 65537, random.getrandbits(32)])
            struct.pack_into(">I", raw, 4 * random.randrange(10), value)
        data += bytes(raw)
    return damaged(data, random) if random.random() < 0.5 else data


def use_packets(data: bytes, folder: Path) -> None:
    """After a server of any kind, a good one is received, and every byte is accounted for."""
    server = suite_server()
    server.script = [data]
    suite = Suite(server.port, CHANNELS, LIMIT_S, settling_s=0.0)
    with Client("127.0.0.1", [suite]) as client:
        while suite.gate.last is None or suite.gate.last.changes != 109:
            got = client.get(LIMIT_S)
            assert got is not None, client.last_error
            client.release(got)
    assert suite.counters.unaccounted == 0


def use_condition(data: bytes, folder: Path) -> None:
    with Control("127.0.0.1", 9) as control:
        control._come += data
        try:
            control._rest()
        finally:
            assert len(control._come) <= len(data)
        if control.condition is not None:
            json.dumps(control.condition.as_dict(), allow_nan=False)


def use_reply(data: bytes, folder: Path) -> None:
    server = controller()
    server.script = [data]
    with Control1(port=server.port, timeout_s=0.1) as control:
        try:
            assert len(control.request(b"AGC " + bytes(124))) == 124
        finally:
            server.script = []
    with Control1(port=server.port, timeout_s=LIMIT_S) as control:
        assert len(control.request(b"AGC " + bytes(124))) == 124


HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"
REQUESTS = (
    b"GET /" + HEAD + CLOSE,
    b"GET /static/style.css" + HEAD + b'Range: bytes=0-10\r\nIf-None-Match: "x"\r\n' + CLOSE,
    b"GET /export/last-minute.json" + HEAD + CLOSE,
    b"GET /export/last-minute.csv?token=x" + HEAD + b"Cookie: a=b\r\n" + CLOSE,
    b"POST /" + HEAD + b"Content-Length: 5\r\n" + CLOSE + b"hello",
    b"POST /live" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET /live" + HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    b'\x81\x96\0\0\0\0{"recording": "start"}\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8',
)


class Errors(logging.Handler):
    """Keeps what the server logs as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))


@cache
def dashboard() -> tuple[int, Errors]:
    """Port of a dashboard that runs until the process ends, and what it logs."""
    from tests.doamc.dashboard.serving import Served

    errors = logged()
    served = Served(["tcp://127.0.0.1:9"])
    served.__enter__()
    return served.dashboard.port, errors


def logged() -> Errors:
    """What is logged from now on."""
    errors = Errors()
    logging.getLogger().addHandler(errors)
    return errors


def use_http(data: bytes, folder: Path) -> None:
    """Something is answered, or the connection is closed; no fault of the server."""
    exchange(*dashboard(), data, error=DashboardError)


def exchange(
    port: int, errors: Errors, data: bytes, farewell: bytes = b"", error: type[Exception] = PublishError
) -> None:
    """Say something to a web server and read what it answers, to its end. farewell: said after a while.

    Raises `error` when it refused, an AssertionError when it failed.
    """
    errors.told.clear()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as client, suppress(ConnectionError):
        client.sendall(data)
        client.settimeout(0.1)  # it may wait for more, and a client that says it has no more gets no answer
        with suppress(TimeoutError):
            while part := client.recv(1 << 16):
                answer += part
        client.settimeout(LIMIT_S)
        client.sendall(farewell)
        with suppress(OSError):  # it has closed already
            client.shutdown(socket.SHUT_WR)
        while part := client.recv(1 << 16):
            answer += part
    assert not errors.told, errors.told
    status = answer.split(b" ", 2)[1:2]
    assert not status or not status[0].startswith(b"5"), answer[:200]
    if not status or status[0].startswith(b"4"):
        raise error(answer[:50].decode("latin-1") or "closed")


TARGETS = (
    Target("heimdall-header", draw_header, use_header),
    Target("heimdall-stream", draw_stream, use_stream),
    Target("heimdall-control", lambda r: damaged(2 * (b"FNSD" + bytes(124)), r), use_reply),
    Target("suite-stream", draw_packets, use_packets),
    Target("suite-control", lambda r: damaged(CONDITION, r), use_condition),
    Target("http", lambda r: damaged(r.choice(REQUESTS), r), use_http),
)
