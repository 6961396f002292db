"""A WebSocket client of RFC 6455 on a bare socket, as a map tool has it; nothing shared with the server's library."""

import base64
import hashlib
import os
import socket

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The status of an answer that is no upgrade."""


class WebSocket:
    """Texts of a server; a context manager. buffer: of the system for what comes, bytes."""

    def __init__(self, port, path="/", buffer=None, timeout_s=60.0, **headers):
        self.socket = socket.socket()
        self.socket.settimeout(timeout_s)
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
        } | headers  # fmt: skip
        lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status != 101:
            self.socket.close()
            raise Refused(status)
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest())
        assert b"sec-websocket-accept: " + accept.lower() in head.lower()

    def text(self):
        """The next text; None when the server has ended the connection."""
        try:
            first, length = self._take(2)
            while first == 0x89:  # a ping, on a computer that has slept; it is not answered
                self._take(length)
                first, length = self._take(2)
            assert first == 0x81, "expected a whole text frame"
            assert not length & 0x80, "a server masks nothing"
            if length == 126:
                length = int.from_bytes(self._take(2), "big")
            elif length == 127:
                length = int.from_bytes(self._take(8), "big")
            return self._take(length).decode()
        except ConnectionError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def _take(self, count):
        while len(self.rest) < count:
            self._more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionResetError
        self.rest += data
