"""Packets of version 2: 32 bytes of header, frequency and gain of each channel, then the samples channel by channel.

Offsets of the header, big-endian u32: 0 magic, 4 channels M, 8 samples a channel T, 12 phase state, 16 noise source,
20 frequency-change counter, 24 scanner group, 28 retuning. Then, for each channel, little-endian f32: frequency in Hz,
gain in dB. Then uint8 I and Q in turn, M T 2 bytes. There is neither a number nor a time.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

MAGIC = b"MCHQ"
HEADER_SIZE = 32
CHANNELS, SAMPLES = (2, 5), (1, 1 << 16)
#: bytes of the longest packet
MAX_SIZE = HEADER_SIZE + CHANNELS[1] * (8 + 2 * SAMPLES[1])
#: of the phase state: its low byte, by number, and two bits
PHASE_STATES = (
    "waiting for the lag", "measuring the phase", "applying the phase", "verifying", "converged", "cooling down",
    "measuring per bin",
)  # fmt: skip
CONVERGED = 4
WIDEBAND, INDEPENDENT = 0x400, 0x800
_LAYOUT = struct.Struct(">4s7I")
_CHANNEL = [struct.Struct(f"<{2 * m}f") for m in range(CHANNELS[1] + 1)]


@dataclass(frozen=True)
class Header:
    """The header of a packet.

    n_channels: M, 2 to 5. n_samples: T, 1 to 65536. phase_state: see `PHASE_STATES`, `WIDEBAND`, `INDEPENDENT`.
    noise_source, retuning: whether. changes: frequency-change counter. group: of the scanner. frequencies_hz, gains_db:
    of the M channels.
    """

    n_channels: int
    n_samples: int
    phase_state: int
    noise_source: bool
    changes: int
    group: int
    retuning: bool
    frequencies_hz: tuple[float, ...]
    gains_db: tuple[float, ...]

    @property
    def phase(self) -> str:
        """What the calibration does, in words."""
        number = self.phase_state & 0xFF
        return PHASE_STATES[number] if number < len(PHASE_STATES) else f"phase state {number}"

    @property
    def offset(self) -> int:
        """Bytes before the samples."""
        return HEADER_SIZE + 8 * self.n_channels

    @property
    def size(self) -> int:
        """Bytes of the packet."""
        return self.offset + 2 * self.n_channels * self.n_samples


def as_meant(value: float) -> float:
    """A float32 as it was meant: the shortest decimal that it stands for."""
    return float(str(np.float32(value)))


def header_size(data: bytearray, begin: int) -> int | None:
    """Bytes before the samples of what may be a packet, by its first 8 bytes; None when it is none."""
    magic, channels = struct.unpack_from(">4sI", data, begin)
    return HEADER_SIZE + 8 * channels if magic == MAGIC and CHANNELS[0] <= channels <= CHANNELS[1] else None


def parse(data: bytearray, begin: int) -> Header | None:
    """The header that begins at a place, with the channels' fields; None when it is not to be believed.

    It is when the magic is there, M, T and the two flags are within their ranges and the frequencies are numbers >= 0.
    """
    magic, channels, samples, phase, noise, changes, group, retuning = _LAYOUT.unpack_from(data, begin)
    if (
        magic != MAGIC or noise > 1 or retuning > 1
        or not CHANNELS[0] <= channels <= CHANNELS[1] or not SAMPLES[0] <= samples <= SAMPLES[1]
    ):  # fmt: skip
        return None
    told = _CHANNEL[channels].unpack_from(data, begin + HEADER_SIZE)
    if not all(0 <= f < math.inf for f in told[::2]):
        return None
    return Header(channels, samples, phase, noise == 1, changes, group, retuning == 1, told[::2], told[1::2])
