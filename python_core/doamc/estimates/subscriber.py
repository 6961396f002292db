"""Subscriber: messages of a publisher, with a count of those lost on the way. It trusts nothing that comes."""

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq

from doamc.errors import PublishError
from doamc.estimates import curve
from doamc.estimates.address import check_address
from doamc.estimates.border import MAX_MESSAGE_BYTES, receive
from doamc.estimates.gaps import Gaps
from doamc.protocol import DEFAULT_ADDRESS, ESTIMATE_TOPIC, STATUS_TOPIC

#: messages that wait for the reader; with the greatest length of a frame (`MAX_MESSAGE_BYTES`): 256 MiB at worst
RECEIVE_QUEUE = 128
_FAILURES = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
_LINK_EVENTS = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED | _FAILURES
#: time after which a connection that ZMQ gave up is made anew, s
_RECONNECT_S = 0.5


class Subscriber:
    """Iterates ``(topic, message)``; a context manager. One thread at a time.

    address: endpoint of the publisher, which need not be up yet. timeout_s: iteration ends when nothing arrives for
    so long; None waits for ever. topics: those to receive. server_key: file with the publisher's public key, for one
    that asks for CURVE (see `curve`). keys: the reader's own pair, for one that lets in only readers that it knows.
    Attributes: received (estimates), lost (estimates missing by their ``seq``), restarts (``seq`` began anew, i.e.
    another publisher took over), malformed (messages skipped because they are not two frames of topic and JSON of its
    schema, or beyond the bounds of `border`), fault (what was wrong with the newest of them), disconnected (times that
    the connection broke: the publisher left, or sent a frame longer than `MAX_MESSAGE_BYTES`), refused (handshakes
    that failed: keys are missing or wrong).
    Raises PublishError on a malformed endpoint, or keys that cannot be used.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        timeout_s: float | None = None,
        topics: tuple[str, ...] = (ESTIMATE_TOPIC, STATUS_TOPIC),
        server_key: str | Path | None = None,
        keys: str | Path | None = None,
    ) -> None:
        self.address = check_address(address)
        self.timeout_s = timeout_s
        self.malformed = self.disconnected = self.refused = 0
        self.fault: str | None = None
        self._gaps = Gaps()
        self._failed, self._reconnect = False, math.inf
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_QUEUE)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        for topic in topics:
            self._socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        try:
            if server_key is not None:
                curve.join(self._socket, server_key, keys)
            elif keys is not None:
                raise PublishError("expected --server-key, the publisher's public key, with --keys, found none")
            self._link = self._socket.get_monitor_socket(_LINK_EVENTS)
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise PublishError(f"cannot subscribe to {address!r}: {error}; name where a publisher listens") from error
        except PublishError:
            self._context.destroy(linger=0)
            raise

    def receive(self, timeout_s: float | None = None) -> tuple[str, dict[str, Any]] | None:
        """Next ``(topic, message)``, or None when none that can be read arrives in timeout_s seconds (None: ever)."""
        end = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, end - time.monotonic())
            some = self._socket.poll(round(1000 * min(left_s, _RECONNECT_S)))
            self._watch_link()
            if some:
                try:
                    name, message = receive(self._socket.recv_multipart())
                except PublishError as error:
                    self.malformed += 1
                    self.fault = str(error)
                else:
                    self._count(name, message)
                    return name, message
            elif time.monotonic() >= self._reconnect:
                self._connect_anew()
            if time.monotonic() >= end:  # a flood of what cannot be read does not keep the caller waiting
                return None

    @property
    def received(self) -> int:
        """Estimates."""
        return self._gaps.received

    @property
    def lost(self) -> int:
        """Estimates missing by their ``seq``."""
        return self._gaps.lost

    @property
    def restarts(self) -> int:
        """Times that ``seq`` began anew."""
        return self._gaps.restarts

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        while (item := self.receive(self.timeout_s)) is not None:
            yield item

    def close(self) -> None:
        """Leave the publisher; again is harmless."""
        if not self._socket.closed:
            self._socket.disable_monitor()
        self._context.destroy(linger=0)

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _count(self, topic: str, message: dict[str, Any]) -> None:
        if topic == ESTIMATE_TOPIC:
            self._gaps.take(int(message["seq"]))

    def _watch_link(self) -> None:
        """Count what became of the connection. ZMQ makes it anew by itself, but not when the publisher broke a rule."""
        while self._link.poll(0):
            event = int.from_bytes(self._link.recv_multipart()[0][:2], "little")
            if event == zmq.EVENT_CONNECT_RETRIED:
                self._reconnect = math.inf
                continue
            self._reconnect = time.monotonic() + _RECONNECT_S
            failed = bool(event & _FAILURES)
            self.refused += failed
            self.disconnected += not failed and not self._failed  # a handshake that failed ends the connection, too
            self._failed = failed

    def _connect_anew(self) -> None:
        self._reconnect = math.inf
        with suppress(zmq.ZMQError):  # it has forgotten the endpoint already
            self._socket.disconnect(self.address)
        self._socket.connect(self.address)
