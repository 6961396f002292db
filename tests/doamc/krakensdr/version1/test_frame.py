"""The header against offsets written out here once more, with values that only fit where they belong."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.errors import ReceiverError
from doamc.krakensdr.version1.frame import Header

#: offset and format of every field, from the protocol
OFFSETS = {
    "sync_word": (0, "<I"), "frame_type": (4, "<I"), "unit_id": (24, "<I"), "active_ant_chs": (28, "<I"),
    "ioo_type": (32, "<I"), "rf_center_freq": (40, "<Q"), "adc_sampling_freq": (48, "<Q"), "sampling_freq": (56, "<Q"),
    "cpi_length": (64, "<I"), "time_stamp": (72, "<Q"), "daq_block_index": (80, "<I"), "cpi_index": (84, "<I"),
    "ext_integration_cntr": (88, "<Q"), "data_type": (96, "<I"), "sample_bit_depth": (100, "<I"),
    "adc_overdrive_flags": (104, "<I"), "delay_sync_flag": (236, "<I"), "iq_sync_flag": (240, "<I"),
    "sync_state": (244, "<I"), "noise_source_state": (248, "<I"), "header_version": (1020, "<I"),
}  # fmt: skip


def test_every_field_lies_at_its_offset():
    values = {name: 1000 + k for k, name in enumerate(OFFSETS)}
    values |= {"sync_word": 0x2BF7B95A, "active_ant_chs": 5, "cpi_length": 77, "sample_bit_depth": 32}
    values["rf_center_freq"], values["time_stamp"] = 2**40 + 3, 1790000000123
    gains = tuple(range(200, 232))
    data = Header(hardware_id=b"unit 7", if_gains=gains, **values).pack()
    assert len(data) == 1024
    for name, (offset, form) in OFFSETS.items():
        assert struct.unpack_from(form, data, offset) == (values[name],), name
    assert data[8:24] == b"unit 7".ljust(16, b"\0")
    assert struct.unpack_from("<32I", data, 108) == gains
    assert data[36:40] == data[68:72] == bytes(4) and data[252:1020] == bytes(768)
    parsed = Header.parse(data)
    assert {name: getattr(parsed, name) for name in values} == values and parsed.if_gains == gains


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(1, 32), st.lists(st.integers(0, 2**32 - 1),
    min_size=32, max_size=32),
)  # fmt: skip
def test_what_is_packed_is_parsed(word, long, channels, gains):
    header = Header(
        hardware_id=b"0123456789abcdef", unit_id=word, active_ant_chs=channels, rf_center_freq=long, time_stamp=long,
        cpi_index=word, adc_overdrive_flags=word, if_gains=tuple(gains), cpi_length=10,
    )  # fmt: skip
    assert Header.parse(header.pack()) == header


def test_what_follows_from_the_header():
    header = Header(
        cpi_length=1 << 20, sampling_freq=2_400_000, adc_overdrive_flags=0b10010, if_gains=(496, 9) + (0,) * 30
    )
    assert header.payload_size == 5 * 8 * 2**20 and header.duration_s == pytest.approx(0.4369, abs=1e-4)
    assert header.overdriven == (False, True, False, False, True)
    assert header.gains_db == (49.6, 0.9, 0, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [{"frame_type": 1}, {"frame_type": 3}, {"delay_sync_flag": 0}, {"iq_sync_flag": 0}, {"cpi_length": 0},
     {"sample_bit_depth": 8}, {"sampling_freq": 0}],
)  # fmt: skip
def test_only_synchronised_data_of_complex_floats_are_usable(changes):
    good = {"cpi_length": 8, "sampling_freq": 2_400_000}
    assert Header(**good).usable
    assert not Header(**(good | changes)).usable


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (0, 0x5AB9F72B, "sync word"),
        (28, 0, "channels"),
        (28, 33, "channels"),
        (64, 2**32 - 1, "samples a channel"),
        (64, 2**23 + 1, "samples a channel"),
        (100, 1, "found 5 channels, 1 bits"),
        (100, 64, "bits"),
    ],
)
def test_garbage_is_named(offset, value, words):
    data = bytearray(Header(cpi_length=8).pack())
    struct.pack_into("<I", data, offset, value)
    with pytest.raises(ReceiverError, match=words):
        Header.parse(data)


def test_a_frame_of_32_channels_is_bounded_by_its_bytes():
    assert Header.parse(Header(active_ant_chs=32, cpi_length=1 << 20).pack()).payload_size == 2**28
    with pytest.raises(ReceiverError, match="268435456 bytes"):
        Header.parse(Header(active_ant_chs=32, cpi_length=(1 << 20) + 1).pack())


def test_lengths_and_ranges_are_checked():
    with pytest.raises(ReceiverError, match="1024 bytes, found 1016"):
        Header.parse(bytes(1016))
    with pytest.raises(ReceiverError, match="ranges"):
        Header(cpi_index=-1).pack()
