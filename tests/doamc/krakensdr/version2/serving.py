"""Packets as the facts of the protocol say, written by none of the code under test, and servers that send them."""

import json
import struct

import numpy as np

from doamc.krakensdr import Client
from doamc.krakensdr.version2 import Suite
from tests.doamc.krakensdr.version1.serving import rogue, wait_for

__all__ = [
    "CHANNELS",
    "LENGTH",
    "client_of",
    "numbers_of",
    "packet",
    "rogue",
    "samples_of",
    "sending",
    "take",
    "wait_for",
]

CHANNELS, LENGTH = 3, 40


def samples_of(number, channels=CHANNELS, length=LENGTH):
    """Bytes (M, T, 2) of a packet: I steps by the number around its mean, Q by number and channel."""
    step = np.where(np.arange(length) % 2, 1, -1)
    i = 120 + (number % 100) * step
    q = 130 + np.arange(1, channels + 1)[:, None] * step
    return np.stack([np.broadcast_to(i, (channels, length)), q], -1).astype(np.uint8)


def packet(
    number=0, channels=CHANNELS, length=LENGTH, phase=4, noise=0, changes=0, group=0, retuning=0, frequency_hz=433.9e6,
    gain_db=20.7, samples=None,
):  # fmt: skip
    head = b"MCHQ" + struct.pack(">7I", channels, length, phase, noise, changes, group, retuning)
    about = b"".join(struct.pack("<ff", frequency_hz, gain_db) for _ in range(channels))
    samples = samples_of(number, channels, length) if samples is None else samples
    return head + about + samples.tobytes()


def numbers_of(samples):
    """Numbers of the packets that samples (M, T) are made of; each is checked to be whole."""
    blocks = samples.reshape(len(samples), -1, LENGTH)
    numbers = np.round(np.abs(blocks[0, :, 0].real) * 127.5).astype(int)
    for k, number in enumerate(numbers):
        raw = samples_of(number, len(samples)).astype(np.float64)
        exact = (raw - raw.mean(1, keepdims=True)) / 127.5
        assert np.abs(blocks[:, k] - (exact[..., 0] + 1j * exact[..., 1])).max() < 1e-6
    return numbers.tolist()


def client_of(port, on_state=None, **options):
    """A client of version 2 on this computer."""
    options = {"n_channels": CHANNELS, "settling_s": 0.0, "timeout_s": 20.0} | options
    return Client("127.0.0.1", [Suite(port, **options)], on_state)


def sending(*parts, then=None):
    """A server that sends these bytes to every client, then does `then`, or nothing until it leaves."""

    def answer(connection, ended):
        for part in parts:
            connection.sendall(part)
        if then is not None:
            then(connection, ended)
        else:
            while not ended.is_set():
                try:
                    if not connection.recv(64):
                        return
                except TimeoutError:
                    pass

    return rogue(answer)


def take(client, count):
    """Numbers of so many packets, and the frames' (lost, gap, first, kept_back)."""
    numbers, told = [], []
    while len(numbers) < count:
        frame = client.get(60.0)
        assert frame is not None, (numbers, client.counters, client.last_error)
        numbers += numbers_of(frame.samples)
        told.append((frame.lost, frame.gap, frame.first, dict(frame.kept_back)))
        client.release(frame)
    return numbers, told


class Receiver:
    """What a control server of version 2 knows; `serve` answers a connection, as the facts of the protocol say."""

    def __init__(self):
        self.frequency_hz, self.gain_db, self.delay_ms = 433.9e6, 20.7, 3000
        self.commands, self.refuse, self.deaf, self.mute = [], None, False, False

    def status(self):
        return {
            "settings": {"center_freq": self.frequency_hz, "gain": self.gain_db, "sample_rate": 2400000,
                         "rtl_tcp_channel": 0},
            "num_channels": CHANNELS, "operating_mode": "coherent", "cooldown_active": True,
            "cooldown_remaining_ms": 1500,
            "channel_comp": [{"amp_db": 0.5 * k, "phase_deg": 10.0 * k} for k in range(CHANNELS)],
            "coherence_events": 2, "recovering": False,
        }  # fmt: skip

    def serve(self, connection, ended):
        connection.settimeout(0.05)
        heard = b""
        while not ended.is_set():
            if not self.mute:
                connection.sendall(json.dumps(self.status()).encode() + b"\n")
            try:
                part = connection.recv(1000)
            except TimeoutError:
                continue
            if not part:
                return
            heard += part
            while (end := heard.find(b"}")) >= 0:
                reply = self.obey(json.loads(heard[: end + 1]))
                heard = heard[end + 1 :].lstrip()
                if not self.mute:
                    connection.sendall(json.dumps(reply).encode() + b"\n")

    def obey(self, command):
        self.commands.append(command)
        if self.refuse is not None:
            return {"status": "error", "message": self.refuse}
        if not self.deaf:
            self.frequency_hz = command.get("frequency", self.frequency_hz)
            self.gain_db = command.get("gain", self.gain_db)
            self.delay_ms = command.get("delay_ms", self.delay_ms)
        return {"status": "success"}
