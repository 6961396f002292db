"""Posting JSON to a web server, from a thread of its own: a slow or absent server holds up nothing."""

import json
import threading
import urllib.request
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from doamc.errors import PublishError

#: what waits for the server; beyond that the oldest is dropped and counted
_WAITING = 32


class Poster:
    """Posts one object after the other; a context manager.

    url: http or https. timeout_s: for each request. Attributes: sent, failed (refused, or no answer in time), dropped
    (the server was too slow), last_error. posted = sent + failed + dropped once closed, and then they change no more.
    Raises PublishError on another kind of URL.
    """

    def __init__(self, url: str, timeout_s: float = 2.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PublishError(f"expected an http or https URL, found {url!r}")
        self.url, self._timeout_s = url, timeout_s
        local = parts.hostname == "localhost" or parts.hostname.startswith("127.")
        self._opener = urllib.request.build_opener(*[urllib.request.ProxyHandler({})] * local)
        self.posted = self.sent = self.failed = self.dropped = 0
        self.last_error: str | None = None
        self._waiting: deque[bytes] = deque()
        self._change, self._closed, self._busy = threading.Condition(), False, False
        self._thread = threading.Thread(target=self._run, name="doamc-poster", daemon=True)
        self._thread.start()

    def post(self, body: dict[str, Any]) -> None:
        """Have an object posted. Raises PublishError when closed."""
        data = json.dumps(body).encode()
        with self._change:
            if self._closed:
                raise PublishError(f"posting to {self.url} is closed")
            self.posted += 1
            if len(self._waiting) == _WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(data)
            self._change.notify()

    def close(self, timeout_s: float = 5.0) -> None:
        """Post what waits, for so long at most, and count the rest as dropped; again is harmless."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join(timeout_s)
        with self._change:
            self.dropped += len(self._waiting) + self._busy  # whether the last one arrived will not be known
            self._waiting.clear()
            self._busy = False

    def __enter__(self) -> "Poster":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                data, self._busy = self._waiting.popleft(), True
            request = urllib.request.Request(self.url, data, {"Content-Type": "application/json"}, method="POST")
            failure = None
            try:
                with self._opener.open(request, timeout=self._timeout_s) as answer:
                    answer.read(1024)
            except Exception as error:  # whatever a server, a proxy or a name service may do
                failure = f"{self.url}: {error}"
            with self._change:
                if not self._busy:  # given up meanwhile, and counted
                    return
                self._busy = False
                self.sent += failure is None
                self.failed += failure is not None
                self.last_error = failure or self.last_error
