"""Commands over a real socket, and their bytes."""

import struct

import pytest

from doamc.errors import ReceiverError
from doamc.heimdall.control import Control, pack, pack_frequency, pack_gains, pack_squelch
from tests.doamc.heimdall.serving import connected, emulator, take, wait_for


def test_messages_are_of_128_bytes_and_hold_what_the_protocol_says():
    assert pack(b"INIT") == b"INIT" + bytes(124)
    assert pack_frequency(433.92e6) == b"FREQ" + struct.pack("<Q", 433_920_000) + bytes(116)
    assert pack_gains([0.9, 49.6, 0]) == b"GAIN" + struct.pack("<3I", 9, 496, 0) + bytes(112)
    assert pack_squelch(0.25) == b"STHU" + struct.pack("<f", 0.25) + bytes(120)
    assert pack(b"AGC ")[:4] == b"AGC " and len(pack(b"EXIT")) == 128


@pytest.mark.parametrize(
    "make",
    [lambda: pack(b"AGC"), lambda: pack(b"FREQ", bytes(125)), lambda: pack_frequency(0), lambda: pack_gains([]),
     lambda: pack_gains([-1]), lambda: pack_gains([1] * 32), lambda: pack_squelch(float("nan"))],
)  # fmt: skip
def test_values_out_of_range_are_refused(make):
    with pytest.raises(ReceiverError, match="expected"):
        make()


def test_settings_reach_the_frames_and_a_new_frequency_costs_the_sync_for_a_while():
    with emulator(settling=4) as server, connected(server, buffers=1) as client:
        take(client, 2)
        with Control(port=server.control_port) as control:
            control.set_gains([1.5, 20.7, 49.6])
            control.set_frequency(868.3e6)
            control.set_squelch(0.5)
            control.set_agc()
            assert control.sent == 4
        wait_for(lambda: server.control.commands[-1] == "EXIT")
        assert server.control.commands == ["INIT", "GAIN", "FREQ", "STHU", "AGC", "EXIT"]
        assert server.control.squelch == 0.5 and server.control.agc
        take(client, until=lambda: client.header.rf_center_freq == 868_300_000)
        take(client, 3)
        assert client.header.gains_db == (1.5, 20.7, 49.6)
        assert client.counters.not_data + client.counters.not_synchronised == 4


def test_an_absent_server_is_an_error_and_a_later_one_is_found():
    server = emulator()
    port = server.control_port
    server.stop()
    control = Control(port=port, timeout_s=5.0)
    with pytest.raises(ReceiverError, match=f"127.0.0.1:{port}.*refused"):
        control.set_agc()
    with emulator(control_port=port) as server:
        control.set_agc()
        assert server.control.agc
        control.close()
        control.close()


def test_a_server_that_does_not_answer_is_an_error_in_time():
    server = emulator()  # listens, but is not started
    with pytest.raises(ReceiverError, match="no reply in time"):
        Control(port=server.control_port, timeout_s=0.1).set_agc()
    server.stop()
