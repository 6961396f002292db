"""Publisher: estimates and a heartbeat on a ZMQ PUB socket, two frames a message (topic, UTF-8 JSON).

A PUB socket never blocks: a subscriber that does not read fills its queue of `SEND_QUEUE` messages and then loses
the newest ones, which it sees as a gap in ``seq``. ZMQ sockets are not thread safe, so one lock guards every use;
it is held for a non-blocking send only, hence neither the caller nor the heartbeat waits for a slow peer.
"""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq

from doamc.errors import PublishError
from doamc.estimates import curve
from doamc.estimates.address import check_exposure
from doamc.estimates.message import encode, status_message
from doamc.protocol import DEFAULT_ADDRESS, ESTIMATE_TOPIC, STATUS_TOPIC

#: messages queued for one slow subscriber; some 5 kB each for eight elements
SEND_QUEUE = 256
LINGER_MS = 200


class Publisher:
    """Sends messages to whoever listens; a context manager.

    address: endpoint to bind, e.g. ``tcp://127.0.0.1:5577``; port ``*`` takes a free one, see `address`.
    heartbeat_s: period of the status message in s; 0 sends none but those given to `status`.
    keys: ``.key_secret`` file (see `curve`), to encrypt and to let in only readers that have its public key; readers:
    folder of public keys, to let in only those that are there. insecure: other computers may read without keys, too.
    Raises PublishError when the endpoint is malformed or in use, or one that other computers can reach is asked for
    with neither keys nor insecure.
    """

    def __init__(
        self, address: str = DEFAULT_ADDRESS, heartbeat_s: float = 1.0, keys: str | Path | None = None,
        readers: str | Path | None = None, insecure: bool = False,
    ) -> None:  # fmt: skip
        check_exposure(address, guarded=keys is not None or insecure)
        if readers is not None and keys is None:
            raise PublishError("expected the publisher's own keys (--keys) with a folder of readers, found none")
        self._lock = threading.Lock()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.SNDHWM, SEND_QUEUE)
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        self._authenticator = None
        try:
            if readers is not None:
                self._authenticator = curve.admit_only(self._context, readers)
            if keys is not None:
                curve.serve(self._socket, keys)
            self._socket.bind(address)
        except PublishError:
            self._abandon()
            raise
        except zmq.ZMQError as error:
            self._abandon()
            in_use = error.errno == zmq.EADDRINUSE
            advice = "choose another port or stop the other program" if in_use else "use an address of this computer"
            raise PublishError(f"cannot publish on {address!r}: {error}; {advice}") from error
        #: the endpoint bound, with the port it got
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._sent = 0
        self._seq = -1
        self._status = status_message(time=time.time(), state="idle", seq=-1)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, args=(heartbeat_s,), name="doamc-heartbeat", daemon=True)
        if heartbeat_s > 0:
            self._thread.start()

    @property
    def sent(self) -> int:
        """Estimates handed to the socket so far."""
        return self._sent

    def estimate(self, message: dict[str, Any]) -> None:
        """Send an estimate (see `make_message`). Raises PublishError when closed or the message is not JSON."""
        data = encode(message)
        seq = message.get("seq")
        with self._lock:
            self._send(ESTIMATE_TOPIC, data)
            self._sent += 1
            self._seq = max(self._seq, seq if isinstance(seq, int) else -1)
            self._status = self._status | {"state": "running"}

    def status(self, message: dict[str, Any]) -> None:
        """Send a status (see `status_message`) now; the heartbeat repeats it, with time and seq of then.

        The next estimate sets its state to ``running``; counters and last_error stay until another status is given.
        """
        data = encode(message)
        with self._lock:
            self._send(STATUS_TOPIC, data)
            self._status = dict(message)

    def send(self, topic: str, message: dict[str, Any]) -> None:
        """Send a message on another topic, e.g. the truth of a simulation. Raises PublishError as `estimate` does."""
        data = encode(message)
        with self._lock:
            self._send(topic, data)

    def close(self) -> None:
        """Send what is queued (at most 0.2 s), stop the heartbeat and free the endpoint; again is harmless."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            if not self._socket.closed:
                self._socket.close()
                if self._authenticator is not None:
                    self._authenticator.stop()
                self._context.term()

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _abandon(self) -> None:
        if self._authenticator is not None:
            self._authenticator.stop()
        self._context.destroy(linger=0)

    def _send(self, topic: str, data: bytes) -> None:
        if self._socket.closed:
            raise PublishError(f"the publisher on {self.address} is closed")
        try:
            self._socket.send_multipart([topic.encode(), data], flags=zmq.NOBLOCK)
        except zmq.ZMQError as error:
            raise PublishError(f"cannot send on {self.address}: {error}") from error

    def _beat(self, period_s: float) -> None:
        while not self._end.wait(period_s):
            with self._lock:
                seq = max(self._seq, self._status["seq"])
                counters = self._status["counters"] | {"published": self._sent}
                beat = self._status | {"time": time.time(), "seq": seq, "counters": counters}
                with suppress(PublishError):  # a heartbeat that cannot be sent is missed, which is its meaning
                    self._send(STATUS_TOPIC, encode(beat))
