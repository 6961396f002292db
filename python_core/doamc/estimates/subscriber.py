"""Subscriber: messages of a publisher, with a count of those lost on the way."""

from collections.abc import Iterator
from typing import Any

import zmq

from doamc.errors import PublishError
from doamc.estimates.address import DEFAULT_ADDRESS, check_address
from doamc.estimates.message import ESTIMATE_TOPIC, STATUS_TOPIC, decode

RECEIVE_QUEUE = 1000


class Subscriber:
    """Iterates ``(topic, message)``; a context manager. One thread at a time.

    address: endpoint of the publisher, which need not be up yet. timeout_s: iteration ends when nothing arrives for
    so long; None waits for ever. topics: those to receive.
    Attributes: received (estimates), lost (estimates missing by their ``seq``), restarts (``seq`` began anew, i.e.
    another publisher took over), malformed (messages skipped because they are not two frames of topic and JSON).
    Raises PublishError on a malformed endpoint.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        timeout_s: float | None = None,
        topics: tuple[str, ...] = (ESTIMATE_TOPIC, STATUS_TOPIC),
    ) -> None:
        self.address = check_address(address)
        self.timeout_s = timeout_s
        self.received = self.lost = self.restarts = self.malformed = 0
        self._seq: int | None = None
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_QUEUE)
        for topic in topics:
            self._socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        try:
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise PublishError(f"cannot subscribe to {address!r}: {error}; name where a publisher listens") from error

    def receive(self, timeout_s: float | None = None) -> tuple[str, dict[str, Any]] | None:
        """Next ``(topic, message)``, or None when none that can be read arrives in timeout_s seconds (None: ever)."""
        while self._socket.poll(None if timeout_s is None else max(0, round(1000 * timeout_s))):
            frames = self._socket.recv_multipart()
            try:
                topic, data = frames
                message = decode(data)
                name = topic.decode()
                self._count(name, message)
            except (PublishError, ValueError, TypeError, KeyError):
                self.malformed += 1
                continue
            return name, message
        return None

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        while (item := self.receive(self.timeout_s)) is not None:
            yield item

    def close(self) -> None:
        """Leave the publisher; again is harmless."""
        self._context.destroy(linger=0)

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _count(self, topic: str, message: dict[str, Any]) -> None:
        if topic != ESTIMATE_TOPIC:
            return
        seq = message["seq"]
        if not isinstance(seq, int):
            raise TypeError("seq is not an integer")
        if self._seq is not None:
            self.lost += max(0, seq - self._seq - 1)
            self.restarts += seq <= self._seq
        self._seq = seq
        self.received += 1
