"""Frames of the heimdall IQ server: a header of 1024 bytes, then the samples, channel after channel.

The header is a little-endian C struct with native alignment: 4 bytes of padding stand before offsets 40 and 72.
"""

import struct
from dataclasses import dataclass, fields

from doamc.errors import ReceiverError

SYNC_WORD = 0x2BF7B95A
HEADER_SIZE = 1024
HEADER_VERSION = 7
MAX_CHANNELS = 32
#: frame_type: samples; nothing useful; test ramp; calibration; waiting for a trigger
DATA, DUMMY, RAMP, CALIBRATION, TRIGGER_WAIT = range(5)
#: data_type of decimated IQ, and sync_state once everything is tracked
DECIMATED_IQ, TRACKING = 3, 6
#: bits of I or of Q after the decimator: complex64
SAMPLE_BITS = 32
#: sample_bit_depth that can be: 0 in frames without samples
_DEPTHS = 0, 8, 16, SAMPLE_BITS
#: a header that announces more is taken for garbage: samples per channel, the server's own limit; and bytes of all
#: channels, of which the default frame of five has 42e6
MAX_LENGTH, MAX_PAYLOAD = 1 << 23, 1 << 28
# Offsets: 0 sync_word, frame_type; 8 hardware_id; 24 unit_id, channels, ioo_type; (pad) 40 the three frequencies;
# 64 cpi_length; (pad) 72 time_stamp; 80 block index, cpi_index; 88 integration; 96 type, bits, overdrive;
# 108 gains[32]; 236 two sync flags, sync state, noise source; 252 reserved[192]; 1020 version
_LAYOUT = struct.Struct("<II16sIII4xQQQI4xQIIQIII32IIIII768xI")
_GAINS = 17  # position of the first gain among the unpacked fields


@dataclass(frozen=True)
class Header:
    """The header of a frame, by the names of the protocol.

    active_ant_chs: channels M, 1..32. rf_center_freq, adc_sampling_freq, sampling_freq: Hz. cpi_length: samples per
    channel, 0 to 2^23. time_stamp: Unix ms. cpi_index: number of the frame; a gap means frames that were dropped.
    adc_overdrive_flags: bit m for channel m. if_gains: 32 gains in dB x 10.
    """

    frame_type: int = DATA
    hardware_id: bytes = b""
    unit_id: int = 0
    active_ant_chs: int = 5
    ioo_type: int = 0
    rf_center_freq: int = 0
    adc_sampling_freq: int = 0
    sampling_freq: int = 0
    cpi_length: int = 0
    time_stamp: int = 0
    daq_block_index: int = 0
    cpi_index: int = 0
    ext_integration_cntr: int = 0
    data_type: int = DECIMATED_IQ
    sample_bit_depth: int = SAMPLE_BITS
    adc_overdrive_flags: int = 0
    if_gains: tuple[int, ...] = (0,) * MAX_CHANNELS
    delay_sync_flag: int = 1
    iq_sync_flag: int = 1
    sync_state: int = TRACKING
    noise_source_state: int = 0
    sync_word: int = SYNC_WORD
    header_version: int = HEADER_VERSION

    @property
    def synchronised(self) -> bool:
        """Whether the channels are aligned in time and in phase: both flags."""
        return self.delay_sync_flag == 1 and self.iq_sync_flag == 1

    @property
    def usable(self) -> bool:
        """Whether the samples may be used for directions: a data frame, synchronised, of complex64 at a known rate."""
        samples = self.cpi_length > 0 and self.sampling_freq > 0 and self.sample_bit_depth in (0, SAMPLE_BITS)
        return self.frame_type == DATA and self.synchronised and samples

    @property
    def payload_size(self) -> int:
        """Bytes that follow the header; a depth of 0 bits, which frames without samples may carry, counts as 32."""
        return self.cpi_length * self.active_ant_chs * 2 * (self.sample_bit_depth or SAMPLE_BITS) // 8

    @property
    def duration_s(self) -> float:
        """Signal time of a frame, s; 0 where the header does not tell."""
        return self.cpi_length / self.sampling_freq if self.sampling_freq else 0.0

    @property
    def gains_db(self) -> tuple[float, ...]:
        """Gains of the M channels, dB."""
        return tuple(g / 10 for g in self.if_gains[: self.active_ant_chs])

    @property
    def overdriven(self) -> tuple[bool, ...]:
        """Which of the M channels overdrove their converters."""
        return tuple(bool(self.adc_overdrive_flags >> m & 1) for m in range(self.active_ant_chs))

    def check(self) -> None:
        """Raise ReceiverError unless number of channels, sample depth and payload are credible."""
        channels, length, depth, size = (
            self.active_ant_chs, self.cpi_length, self.sample_bit_depth, self.payload_size,
        )  # fmt: skip
        if not 1 <= channels <= MAX_CHANNELS or depth not in _DEPTHS or length > MAX_LENGTH or size > MAX_PAYLOAD:
            raise ReceiverError(
                f"expected 1 to {MAX_CHANNELS} channels, 8, 16 or {SAMPLE_BITS} bits and at most {MAX_LENGTH} samples "
                f"a channel in {MAX_PAYLOAD} bytes, found {channels} channels, {depth} bits, {length} samples"
            )

    def pack(self) -> bytes:
        """The 1024 bytes. Raises ReceiverError when a field is out of its range."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        flat: list[int | bytes] = []
        for name in _ORDER:
            flat.extend(values[name] if name == "if_gains" else [values[name]])
        try:
            return _LAYOUT.pack(*flat)
        except struct.error as error:
            raise ReceiverError(f"expected header fields within their unsigned ranges ({error})") from error

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview) -> "Header":
        """Header of its 1024 bytes.

        Raises ReceiverError unless length, sync word, number of channels, sample depth and payload are credible.
        """
        if len(data) != HEADER_SIZE:
            raise ReceiverError(f"expected a header of {HEADER_SIZE} bytes, found {len(data)}")
        flat = _LAYOUT.unpack(data)
        if flat[0] != SYNC_WORD:
            raise ReceiverError(f"expected the sync word {SYNC_WORD:#x}, found {flat[0]:#x}")
        scalars = [*flat[:_GAINS], flat[_GAINS : _GAINS + MAX_CHANNELS], *flat[_GAINS + MAX_CHANNELS :]]
        header = cls(**dict(zip(_ORDER, scalars, strict=True)))
        header.check()
        return header


#: the fields as they lie in the struct
_ORDER = ["sync_word", *(f.name for f in fields(Header) if f.name not in ("sync_word", "header_version"))]
_ORDER.append("header_version")
