"""Commands over a real socket, and their bytes."""

import socket
import struct
from contextlib import suppress

import pytest

import doamc.krakensdr.control_link as link_module
from doamc.errors import ReceiverError
from doamc.krakensdr.gains import STEPS, nearest_gains
from doamc.krakensdr.version1.control import Control, pack, pack_frequency, pack_gains, pack_squelch
from tests.doamc.krakensdr.version1.serving import connected, emulator, rogue, take, wait_for


def test_messages_are_of_128_bytes_and_hold_what_the_protocol_says():
    assert pack(b"INIT") == b"INIT" + bytes(124)
    assert pack_frequency(433.92e6) == b"FREQ" + struct.pack("<Q", 433_920_000) + bytes(116)
    assert pack_gains([0.9, 49.6, 0]) == b"GAIN" + struct.pack("<3I", 9, 496, 0) + bytes(112)
    assert pack_squelch(0.25) == b"STHU" + struct.pack("<f", 0.25) + bytes(120)
    assert pack(b"AGC ")[:4] == b"AGC " and len(pack(b"EXIT")) == 128


@pytest.mark.parametrize(
    "make",
    [lambda: pack(b"AGC"), lambda: pack(b"FREQ", bytes(125)), lambda: pack_frequency(0), lambda: pack_gains([]),
     lambda: pack_gains([-1]), lambda: pack_gains([1] * 32), lambda: pack_gains([50.1]),
     lambda: pack_squelch(float("nan")), lambda: pack_frequency(2**32)],
)  # fmt: skip
def test_values_out_of_range_are_refused(make):
    with pytest.raises(ReceiverError, match="expected"):
        make()


def test_settings_reach_the_frames_and_a_new_frequency_costs_the_sync_for_a_while():
    with emulator(settling=4) as server, connected(server, buffers=1) as client:
        take(client, 2)
        with Control(port=server.control_port) as control:
            control.set_gains([1.5, 20.0, 50.0])  # the nearest steps of the tuner: see below
            control.set_frequency(868.3e6)
            control.set_squelch(0.5)
            control.set_agc()
            assert control.sent == 4
        wait_for(lambda: server.control.commands[-1] == "EXIT")
        assert server.control.commands == ["INIT", "GAIN", "FREQ", "STHU", "AGC", "EXIT"]
        assert server.control.squelch == 0.5 and server.control.agc
        take(client, until=lambda: client.session.header.rf_center_freq == 868_300_000)
        take(client, 3)
        assert client.session.header.gains_db == (1.4, 19.7, 49.6)
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
    with pytest.raises(ReceiverError, match="no reply in time"), Control(port=server.control_port, timeout_s=0.1) as c:
        c.set_agc()
    server.stop()


def test_gains_are_sent_as_the_nearest_steps_of_the_tuner():
    assert len(STEPS) == 29 and list(STEPS) == sorted(set(STEPS)) and STEPS[-1] == 496
    sent = struct.unpack_from("<5I", pack_gains([20.0, 0.0, 50.0, 1.2, 30.0]), 4)
    assert sent == (197, 0, 496, 14, 297)
    assert nearest_gains([g / 10 for g in STEPS]) == [g / 10 for g in STEPS]


def test_a_controller_that_is_slow_is_waited_for_on_one_connection():
    with emulator(control_delay_s=0.4) as server:
        with Control(port=server.control_port, timeout_s=0.05) as control:
            late = 0
            while control.sent < 1:
                try:
                    control.set_frequency(868e6)
                except ReceiverError as error:
                    assert "waiting for it" in str(error) and control.pending
                    late += 1
            assert late >= 1 and server.control.frequency_hz == 868e6 and not control.pending
            with pytest.raises(ReceiverError, match="AGC"):
                control.set_agc()
            while server.control.squelch != 0.5:  # another command waits its turn
                with suppress(ReceiverError):
                    control.set_squelch(0.5)
            assert server.control.agc
        wait_for(lambda: server.control.commands[-1] == "EXIT")
        assert server.control.commands == ["INIT", "FREQ", "AGC", "STHU", "EXIT"] and server.control.ended is None


def test_a_reply_that_never_comes_is_given_up(monkeypatch):
    def mute(connection, ended):
        while connection.recv(128):
            seen.append(connection)

    seen = []
    with rogue(mute) as port, Control(port=port, timeout_s=0.05) as control:
        with pytest.raises(ReceiverError, match="waiting for it"):
            control.set_agc()
        monkeypatch.setattr(link_module, "LOST_S", 0.0)
        with pytest.raises(ReceiverError, match="connecting again"):
            control.set_agc()
        assert not control.pending
        with pytest.raises(ReceiverError):
            control.set_agc()
        wait_for(lambda: len(set(map(id, seen))) == 2)


def answering(*replies):
    """A control server whose replies, one after the other, are these bytes; then it closes."""

    def answer(connection, ended):
        for reply in replies:
            if not connection.recv(128):
                return
            for part in reply if isinstance(reply, list) else [reply]:
                connection.sendall(part)

    return rogue(answer)


GOOD = b"FNSD" + bytes(124)


def test_replies_in_pieces_are_put_together_and_a_closed_connection_is_made_anew():
    with answering([GOOD[:1], GOOD[1:100], GOOD[100:]], GOOD) as port, Control(port=port, timeout_s=20.0) as control:
        for count in range(1, 4):  # the server closes after every command
            control.set_agc()
            assert control.sent == count
            wait_for(lambda: control._socket.recv(1, socket.MSG_PEEK) == b"")


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ([b"FNSX" + bytes(124)], "found b'FNSX'"),
        ([bytes(128)], "found b"),
        ([b"FNSD"], "closed"),
        ([b""], "closed|reset"),
        ([GOOD, GOOD[:127]], "closed"),
        ([GOOD + b"\x1b]0;title\x07", GOOD], r"found b'\\x1b\]0;'"),
    ],
)
def test_replies_that_are_none_are_errors_and_the_connection_is_left(replies, words):
    with answering(*replies) as port, Control(port=port, timeout_s=20.0) as control:
        with pytest.raises(ReceiverError, match=words):
            control.set_agc()
        assert control.sent == 0 and not control.pending


def test_bytes_that_nobody_asked_for_are_no_reply():
    with answering(GOOD, GOOD + GOOD, GOOD) as port, Control(port=port, timeout_s=20.0) as control:
        control.set_agc()
        wait_for(lambda: control._come or control._socket.recv(1, socket.MSG_PEEK))
        with pytest.raises(ReceiverError, match="silence"):
            control.set_agc()


@pytest.mark.parametrize("host", ["a" * 300, "..", "\0", "\ud800"])
def test_names_that_no_host_can_have_are_errors_of_the_receiver(host):
    with pytest.raises(ReceiverError, match="control server"):
        Control(host).set_agc()
