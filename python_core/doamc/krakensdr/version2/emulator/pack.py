"""Headers of packets as bytes."""

import struct

from doamc.krakensdr.version2.packet import MAGIC, PHASE_STATES, Header

#: phase states by number
WAITING, MEASURING, APPLYING, VERIFYING, CONVERGED, COOLING, PER_BIN = range(len(PHASE_STATES))
_WORDS, _CHANNEL = struct.Struct(">4s7I"), struct.Struct("<2f")


def pack(header: Header, magic: bytes = MAGIC) -> bytes:
    """The 32 bytes of a header, and 8 for every channel."""
    words = _WORDS.pack(
        magic, header.n_channels, header.n_samples, header.phase_state, header.noise_source,
        header.changes % 2**32, header.group, header.retuning,
    )  # fmt: skip
    return words + b"".join(map(_CHANNEL.pack, header.frequencies_hz, header.gains_db))
