"""A reader of version 2 that shares nothing with the library: sockets and struct, from the facts alone."""

import socket
import struct
from collections import Counter, namedtuple
from dataclasses import dataclass, field

import numpy as np

MAGIC = b"MCHQ"
Packet = namedtuple("Packet", "phase noise counter group retuning frequencies gains samples")


@dataclass
class Plain:
    """Cuts bytes into packets and what is none; every byte is counted as one or the other, or is still waiting."""

    packets: list = field(default_factory=list)
    states: Counter = field(default_factory=Counter)
    whole: int = 0  # bytes of packets
    passed_over: int = 0
    received: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    keep: int = 1 << 30  # packets kept, the first ones

    def feed(self, data):
        self.received += len(data)
        self.waiting += data
        while self._one():
            pass

    def _one(self):
        data = self.waiting
        place = data.find(MAGIC)
        if place:  # not at the beginning: look for it byte by byte, and keep what may be the start of it
            gone = place if place > 0 else max(0, len(data) - 3)
            del data[:gone]
            self.passed_over += gone
            if place < 0:
                return False
        if len(data) < 32:
            return False
        m, n, state, noise, counter, group, retuning = struct.unpack_from(">7I", data, 4)
        if not (2 <= m <= 5 and 1 <= n <= 65536 and state & ~0xC00 <= 6 and noise <= 1 and retuning <= 1):
            del data[:1]
            self.passed_over += 1
            return True
        size = 32 + 8 * m + 2 * m * n
        if len(data) < size:
            return False
        channels = struct.unpack_from(f"<{2 * m}f", data, 32)
        samples = np.frombuffer(bytes(data[32 + 8 * m : size]), np.uint8).reshape(m, n, 2)
        del data[:size]
        self.whole += size
        self.states[state] += 1
        if len(self.packets) < self.keep:
            self.packets.append(Packet(state, noise, counter, group, retuning, channels[0::2], channels[1::2], samples))
        return True


def read_all(port, plain=None, until=lambda plain: False):
    """Read until the server closes, or a condition holds."""
    plain = plain or Plain()
    with socket.create_connection(("127.0.0.1", port), 20.0) as connection:
        if connection.getsockname() == connection.getpeername():  # the port that nobody listens on, for our own end
            raise ConnectionRefusedError
        while data := connection.recv(1 << 16):
            plain.feed(data)
            if until(plain):
                break
    return plain


def complex_of(samples):
    """(M, n) complex of (M, n, 2) bytes: each channel's mean over the block removed, scaled by 1/127.5."""
    values = samples[..., 0] + 1j * samples[..., 1]
    return (values - values.mean(1, keepdims=True)) / 127.5
