"""Header of a packet of the suite (version 2): eight words, big-endian; then frequency and gain of every channel."""

import struct
from dataclasses import dataclass

MAGIC = 0x4D434851
#: phase states, in the low byte; of samples, only those of CONVERGED are calibrated
WAITING, MEASURING, APPLYING, VERIFYING, CONVERGED, COOLING, PER_BIN = range(7)
PHASES = "waiting", "measuring", "applying", "verifying", "converged", "cooling", "per-bin"
#: bits beside it: a wideband scan, whose channels are not coherent; channels of their own
WIDEBAND, INDEPENDENT = 0x400, 0x800
CHANNELS, MAX_SAMPLES = (2, 5), 65536
_WORDS, _CHANNEL = struct.Struct(">8I"), struct.Struct("<2f")


@dataclass(frozen=True)
class PacketHeader:
    """What a packet tells of its samples.

    n_channels: 2..5. n_samples: a channel, 1..65536. phase_state: with its bits. change_counter: changes of frequency
    so far. frequency_hz, gain_db: of all channels.
    """

    n_channels: int
    n_samples: int
    phase_state: int = CONVERGED
    noise_source: bool = False
    change_counter: int = 0
    scanner_group: int = 0
    retuning: bool = False
    frequency_hz: float = 0.0
    gain_db: float = 0.0

    @property
    def payload_size(self) -> int:
        """Bytes of the samples: I and Q of 8 bits, channel after channel."""
        return 2 * self.n_channels * self.n_samples

    def pack(self, magic: int = MAGIC) -> bytes:
        """Its 32 bytes and 8 for every channel."""
        words = _WORDS.pack(
            magic, self.n_channels, self.n_samples, self.phase_state, self.noise_source,
            self.change_counter % 2**32, self.scanner_group, self.retuning,
        )  # fmt: skip
        return words + _CHANNEL.pack(self.frequency_hz, self.gain_db) * self.n_channels
