"""Peers of the servers for map tools, and of the control channel of version 2, from both of its ends."""

import base64
import json
import math
import select
import socket
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import doamc.gateways.broadcast as broadcast_module
from doamc.errors import PublishError
from doamc.estimates.bearing import Station
from doamc.gateways.doa_page import PATH, DoaPage
from doamc.gateways.mapper import Mapper
from doamc.krakensdr.version2 import Control
from doamc.krakensdr.version2.emulator import Payloads, SuiteEmulator, Times
from doamc.web.access import Access
from tests.doamc.estimates.bearings import message
from tests.doamc.gateways.websocket import WebSocket
from tests.doamc.krakensdr.version2.emulator.serving import noise
from tests.doamc.web.serving import get
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, odd, spoiled
from tests.fuzz.targets.servers import CLOSE, CONDITION, HEAD, LIMIT_S, Errors, Peer, exchange, logged

STATION = Station("roof", 48.0, 11.0)
UPGRADE = (
    b"GET /live" + HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n\r\n"
)
REPLIES = tuple(
    json.dumps(reply).encode() + b"\n"
    for reply in ({"status": "success"}, {"status": "error", "message": "no"}, {"status": "later"}, ["status"])
)
COMMANDS: tuple[dict[str, Any], ...] = (
    {"command": "set_frequency", "frequency": 433.9e6}, {"command": "set_gain", "gain": 20.7},
    {"command": "set_gain", "gain": -1}, {"command": "set_stability_delay", "delay_ms": 3000},
)  # fmt: skip


@cache
def page() -> tuple[DoaPage, Errors]:
    """A page that is served until the process ends, and what it logs."""
    return DoaPage(0, STATION, Access("127.0.0.1", None, "page", PublishError)), logged()


@cache
def mapper() -> tuple[Mapper, Errors]:
    """A WebSocket that is served until the process ends, and what it logs."""
    broadcast_module.PERIOD_S = 0.01
    return Mapper(0, STATION, Access("127.0.0.1", None, "map", PublishError)), logged()


@cache
def emulator() -> SuiteEmulator:
    """A receiver whose control server is asked."""
    server = SuiteEmulator(Payloads(noise(), 3, 40), 4000.0, times=Times(*6 * (0.0,)), status_s=0.01)
    server.start()
    return server


@cache
def replier() -> Peer:
    """A control server that says what the script has, and then that all is well."""

    def answer(connection: socket.socket) -> None:
        while connection.recv(1 << 12):
            connection.sendall(REPLIES[0])

    return Peer(answer)


def draw_request(random: Random) -> bytes:
    """A request for the page, damaged."""
    path = random.choice([PATH.encode(), b"/", PATH.encode() + b"?token=" + bytes(random.choice([0, 9, 3000]))])
    more = random.choice([b"", b"Range: bytes=0-1\r\n", b"Content-Length: 3\r\n", b"Accept: */*\r\n"])
    data = random.choice([b"GET ", b"GET ", b"HEAD ", b"POST "]) + path + HEAD + more + CLOSE
    return damaged(data, random) if random.random() < 0.7 else data


def draw_frames(random: Random) -> bytes:
    """A client of the WebSocket that says things, of which some are no frames."""
    data = UPGRADE if random.random() < 0.9 else damaged(UPGRADE, random)
    for _ in range(random.randint(0, 4)):
        size = random.choice([0, 1, 125, 126, 127, random.randrange(70000)])
        first = random.choice([0x81, 0x82, 0x80, 0x01, 0x88, 0x89, 0x8A, 0xC1, random.randrange(256)])
        length = bytes([0x80 | min(size, 125)]) if size < 126 else b"\xfe" + struct.pack(">H", size & 0xFFFF)
        data += bytes([first]) + length + bytes(4) + b"x" * random.choice([size, size // 2])
    return damaged(data, random) if random.random() < 0.3 else data


def use_page(data: bytes, folder: Path) -> None:
    """Whatever a client asks for, the next one gets its lines."""
    served, errors = page()
    served.write(message([10.0, 200.0]))
    refusal = _refusal(lambda: exchange(served._server.port, errors, data))
    status, _, body = get(served.url)
    assert status == 200 and body.count(b"\n") == 2, (status, body[:99])
    if refusal is not None:
        raise refusal


def use_mapper(data: bytes, folder: Path) -> None:
    """Whatever a client says, the next one gets its record."""
    served, errors = mapper()
    port = int(served.url.rstrip("/").rpartition(":")[2])
    refusal = _refusal(lambda: exchange(port, errors, data, b"\x88\x80" + bytes(4)))
    with WebSocket(port, timeout_s=LIMIT_S) as good:
        while not select.select([good.socket], [], [], 0.02)[0]:  # until the server knows that it listens
            served.write(message([10.0]))
        text = good.text()
    assert text is not None and json.loads(text)["station_id"] == STATION.station_id, text
    if refusal is not None:
        raise refusal


def _refusal(what: Any) -> PublishError | None:
    try:
        what()
    except PublishError as error:
        return error
    return None


def draw_reply(random: Random) -> bytes:
    """What a server says to a command: statuses and replies, damaged."""
    told = [json.dumps(spoiled(json.loads(CONDITION), random)).encode() + b"\n", CONDITION, *REPLIES]
    data = b"".join(random.choice(told) for _ in range(random.randint(1, 4)))
    return damaged(data, random) if random.random() < 0.7 else data


def use_reply(data: bytes, folder: Path) -> None:
    """After a server of any kind, a good one is understood."""
    server = replier()
    server.script = [data]
    try:
        with Control(port=server.port, timeout_s=0.05) as control:
            control.set_gain(20.7)
    finally:
        server.script = []
        with Control(port=server.port, timeout_s=LIMIT_S) as control:
            control.set_gain(20.7)
            assert control.sent == 1


def draw_commands(random: Random) -> bytes:
    """Commands, of which some are none."""
    told = [json.dumps(spoiled(random.choice(COMMANDS), random, ("command", "gain"))) for _ in range(3)]
    told.append(json.dumps({"command": "set_frequency", "frequency": odd(random)}, default=str))
    data = random.choice([b"", b"\n"]).join(text.encode("utf-8", "replace") for text in told)
    return damaged(data, random) if random.random() < 0.5 else data


def use_commands(data: bytes, folder: Path) -> None:
    """Every answer is an object; whoever comes next is served, and the receiver is what it can be."""
    server = emulator()
    answers = b""
    with socket.create_connection(("127.0.0.1", server.control_port), LIMIT_S) as client, suppress(OSError):
        client.sendall(data)  # where an object has no end, it refuses that and leaves, whatever else we say
        client.shutdown(socket.SHUT_WR)
        while part := client.recv(1 << 16):
            answers += part
    told = [json.loads(line) for line in answers.splitlines() if line.endswith(b"}")]
    assert all(isinstance(t, dict) for t in told)
    with Control(port=server.control_port, timeout_s=LIMIT_S) as control:
        control.set_frequency(433.9e6)
    now = server.tuner.condition
    assert 24e6 <= now.frequency_hz <= 1766e6 and -math.inf <= now.gain_db <= 50.0
    if any(t.get("status") == "error" for t in told):
        raise PublishError("refused")


TARGETS = (
    Target("doa-value", draw_request, use_page),
    Target("mapper", draw_frames, use_mapper),
    Target("suite-reply", draw_reply, use_reply),
    Target("suite-command", draw_commands, use_commands),
)
