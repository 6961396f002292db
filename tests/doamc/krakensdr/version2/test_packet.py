"""Headers: what is read of them, and which are believed."""

import struct

import pytest

from doamc.krakensdr.version2.packet import MAX_SIZE, header_size, parse
from tests.doamc.krakensdr.version2.serving import packet


def test_a_header_is_read_by_its_offsets_and_orders_of_bytes():
    data = bytearray(7) + packet(
        channels=5,
        length=300,
        phase=0x406,
        noise=1,
        changes=17,
        group=3,
        retuning=1,
        frequency_hz=868.3e6,
        gain_db=19.7,
    )
    header = parse(data, 7)
    assert (header.n_channels, header.n_samples, header.phase_state) == (5, 300, 0x406)
    assert header.noise_source and header.retuning and (header.changes, header.group) == (17, 3)
    assert header.frequencies_hz == (868_300_032.0,) * 5  # float32
    assert header.gains_db == pytest.approx((19.7,) * 5) and header.phase == "measuring per bin"
    assert header.offset == header_size(data, 7) == 72 and header.size == 72 + 5 * 300 * 2 == len(data) - 7


def test_the_longest_packet_is_known():
    assert MAX_SIZE == 32 + 5 * 8 + 5 * 65536 * 2


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, 0x4D434850), (4, 1), (4, 6), (8, 0), (8, 65537), (16, 2), (28, 2), (4, 2**32 - 1), (8, 2**31)],
)
def test_what_is_out_of_its_range_is_not_believed(offset, value):
    data = bytearray(packet())
    struct.pack_into(">I", data, offset, value)
    assert parse(data, 0) is None


@pytest.mark.parametrize("frequency_hz", [float("nan"), float("inf"), -1.0])
def test_frequencies_that_are_none_are_not_believed(frequency_hz):
    assert parse(bytearray(packet(frequency_hz=frequency_hz)), 0) is None


def test_any_phase_state_is_believed():
    assert parse(bytearray(packet(phase=0xFFFFFFFF)), 0).phase == "phase state 255"
