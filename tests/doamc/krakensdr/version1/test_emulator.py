"""The emulator forgives a client as little as the original server does."""

import socket
import struct

import pytest

from doamc.krakensdr.version1 import Control, Header
from doamc.krakensdr.version1.control import MESSAGE_SIZE
from tests.doamc.krakensdr.version1.serving import (
    CHANNELS,
    LENGTH,
    Counting,
    connected,
    emulator,
    leaving,
    take,
    wait_for,
)

WHOLE = 1024 + 8 * CHANNELS * LENGTH


def calling(port):
    return socket.create_connection(("127.0.0.1", port), 20.0)


def heard(connection, size):
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


def refused(port):
    try:
        calling(port).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_client_that_leaves_before_its_frame_came_ends_the_server():
    with emulator(paced=True, source=Counting(200.0)) as server:  # 0.2 s a frame
        with calling(server.port) as client:
            client.sendall(b"streaming")
            wait_for(lambda: server.requests == 1)
        assert server.done.wait(20.0)
        assert server.left == 1 and "a frame was on its way" in server.ended
        wait_for(lambda: refused(server.port))


def test_a_client_that_leaves_in_the_middle_of_a_frame_ends_the_server():
    with emulator() as server:
        with calling(server.port) as client:
            client.sendall(b"streaming")
            assert len(heard(client, 1100)) == 1100
        assert server.done.wait(20.0) and server.left == 1


def test_a_client_that_asks_for_nothing_harms_nothing():
    with emulator() as server:
        with calling(server.port) as client:  # reset, not closed
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with connected(server) as client:
            assert take(client, 2) == [0, 1]
        assert server.left == 0 and server.ended is None


def test_a_forgiving_one_counts_it_and_goes_on():
    with emulator(forgiving=True) as server:
        for turn in range(2):
            with calling(server.port) as client:
                client.sendall(b"streaming")
                assert len(heard(client, 1100)) == 1100
            wait_for(lambda n=turn + 1: server.left == n)
        with connected(server) as client:
            assert len(take(client, 3)) == 3
        assert server.ended is None


@pytest.mark.parametrize("fault", ["bad-sync", "garbage", "stall"])
def test_one_that_misbehaved_itself_survives_that_its_client_leaves(fault):
    with (
        emulator(at={2: fault}, stall_s=2.5) as server,
        leaving(server, 1.0) if fault == "stall" else connected(server) as client,
    ):
        take(client, 6)
        assert client.counters.failures == 1 and server.left == 0 and server.ended is None


@pytest.mark.parametrize("last", [b"", b"q", b"IQDownloadIQDownload", b"IQDownloadq", b"iqdownload", b"IQ"])
def test_between_frames_whatever_is_not_the_word_is_a_leave(last):
    with emulator() as server:
        with calling(server.port) as client:
            client.sendall(b"streaming")
            for number in range(3):
                data = heard(client, WHOLE)
                assert Header.parse(data[:1024]).cpi_index == number
                client.sendall(b"IQDownload" if number < 2 else last)
            if last:
                assert heard(client, 1) == b""
        with connected(server) as client:
            assert take(client, 2) == [3, 4]
        assert server.left == 0 and server.ended is None


@pytest.mark.parametrize("size", [4, 95, 128])  # 95: what the vendor's own client sends
def test_what_one_read_of_the_control_port_brings_is_one_command(size):
    with emulator() as server, calling(server.control_port) as client:
        for count in range(1, 3):
            client.sendall(b"AGC ".ljust(size, b"\0"))
            assert heard(client, MESSAGE_SIZE) == b"FNSD".ljust(128, b"\0")
            assert server.control.agc and server.control.commands == ["AGC"] * count


def test_gains_that_are_no_steps_of_the_tuner_are_confirmed_and_ignored():
    with emulator() as server, Control(port=server.control_port) as control:
        control.set_gains([19.7] * CHANNELS)
        control.request(b"GAIN" + b"".join(g.to_bytes(4, "little") for g in (207, 200, 207)).ljust(124, b"\0"))
        assert control.sent == 2 and server.control.gains_db == [19.7] * CHANNELS


@pytest.mark.parametrize("command", [b"FREQ", b"GAIN\1\0\0", b"FREQ" + (2**32).to_bytes(8, "little")])
def test_a_command_that_ends_the_original_ends_the_control_server(command):
    with emulator() as server, calling(server.control_port) as client:
        client.sendall(command)
        assert heard(client, 1) == b""
        wait_for(lambda: refused(server.control_port))
        assert command[:4].decode() in server.control.ended
        with connected(server) as data:
            take(data, 2)  # frames come from another program


def test_a_source_that_fails_ends_the_server_and_says_so():
    class Failing(Counting):
        def frame(self, number):
            raise OSError("file is gone")

    with emulator(source=Failing()) as server, calling(server.port) as client:
        client.sendall(b"streaming")
        assert heard(client, 1) == b"" and server.done.wait(20.0)
        assert "cannot read frame 0 (file is gone)" in server.ended and server.left == 0
