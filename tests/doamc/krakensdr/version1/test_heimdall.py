"""The client against the emulator over real sockets: every fault, alone, and what it must do to the counts."""

import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from dataclasses import replace

import pytest

import doamc.krakensdr.client as client_module
import doamc.krakensdr.version1.heimdall as heimdall_module
from doamc.errors import ReceiverError
from doamc.krakensdr.link import STEP, Halt, Link
from doamc.krakensdr.session import ABSENT, MISMATCH, STOPPED, STREAMING, WAITING
from doamc.krakensdr.version1 import Header, Heimdall
from tests.doamc.krakensdr.version1.serving import (
    CHANNELS,
    LENGTH,
    Counting,
    client_of,
    connected,
    emulator,
    leaving,
    rogue,
    take,
    wait_for,
)


def test_frames_arrive_whole_and_in_order():
    with emulator() as server, connected(server) as client:
        assert take(client, 50) == list(range(50))
        assert client.state == STREAMING and client.last_error is None
        counters = client.counters
        assert counters.frames == counters.passed and counters.lost == counters.failures == 0
    assert client.state == STOPPED


@pytest.mark.parametrize(
    ("fault", "missing", "counts"),
    [
        ("drop", [3], {"lost": 1, "failures": 0}),
        ("duplicate", [], {"lost": 0, "duplicates": 1, "failures": 0}),
        ("truncate", [3], {"lost": 1, "broken": 1, "failures": 1}),
        ("bad-sync", [3], {"lost": 1, "malformed": 1, "failures": 1}),
        ("garbage", [3], {"lost": 1, "malformed": 1, "failures": 1}),
        ("close", [3], {"lost": 1, "failures": 1}),
        ("stall", [3], {"lost": 1, "broken": 1, "failures": 1}),
        ("channels", [3], {"lost": 0, "wrong_channels": 1, "failures": 0}),
    ],
)
def test_a_fault_costs_its_frame_and_is_counted(fault, missing, counts):
    with (
        emulator(at={3: fault}, stall_s=4.0) as server,
        leaving(server, 2.0) if fault == "stall" else connected(server) as client,
    ):
        numbers = take(client, 12)
        assert numbers == [n for n in range(12 + len(missing)) if n not in missing]
        found = client.counters.as_dict()
        assert {k: found[k] for k in counts} == counts
        assert found["passed"] >= 12 and found["connects"] == 1 + counts["failures"] and found["restarts"] == 0


def test_a_stall_within_patience_costs_nothing():
    with emulator(at={3: "stall"}, stall_s=0.1) as server, connected(server) as client:
        assert take(client, 10) == list(range(10)) and client.counters.failures == 0


def test_frames_that_are_no_synchronised_data_are_kept_back_and_counted():
    with emulator(at={k: "unsynchronised" for k in range(2, 30)}) as server, connected(server) as client:
        numbers = take(client, 10)
        assert numbers == [0, 1, *range(30, 38)]
        counters = client.counters
        assert counters.not_data + counters.not_synchronised == 28 and counters.lost == 0
        assert counters.not_data > 3 and counters.not_synchronised > 3  # of all four kinds, at even odds


def test_the_gap_is_told_with_the_frame_after_it():
    with emulator(at={2: "drop", 4: "close"}) as server, connected(server) as client:
        told = []
        for _ in range(6):
            frame = client.get(60.0)
            told.append((frame.number, frame.lost, frame.first))
            client.release(frame)
    assert told == [(0, 0, True), (1, 0, False), (3, 1, False), (4, 0, False), (6, 1, True), (7, 0, False)]


def test_a_server_with_other_channels_is_said_not_read():
    with emulator() as server, connected(server, n_channels=CHANNELS + 2) as client:
        wait_for(lambda: client.state == MISMATCH)
        assert client.get(0.05) is None
        assert client.last_error == f"expected {CHANNELS + 2} channels, found {CHANNELS}"
        assert client.counters.wrong_channels == client.counters.frames > 0


def test_streaming_again_at_the_first_try_after_each_of_ten_kills():
    """Tries are half a second apart at most: it is a matter of that, on a computer that has the time."""
    server, seen = emulator(), 0
    server.start()
    with connected(server, timeout_s=1.5) as client:
        for turn in range(10):
            assert take(client, 3)
            port = server.port
            server.stop()
            wait_for(lambda: client.state == ABSENT)
            time.sleep(0.05 * turn)  # the back-off has come to various lengths
            while (held := client.get(0)) is not None:
                client.release(held)
            server = emulator(port=port)
            server.start()
            failures = client.counters.failures
            assert take(client, 1) == [0]
            assert client.counters.failures <= failures + 1  # one may have been on its way when the server came
            seen += 1
        assert client.counters.restarts == seen == 10
    server.stop()


def test_a_server_that_comes_late_is_found():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with client_of(port) as client:
        wait_for(lambda: client.counters.failures >= 3)
        assert client.state == ABSENT and "refused" in client.last_error
        with emulator(port=port):
            assert take(client, 1) == [0]


def trickle(connection, ended):
    while not ended.wait(0.02):
        connection.sendall(b"\x5a")


@pytest.mark.parametrize("answer", [lambda c, e: e.wait(60.0), trickle, lambda c, e: c.sendall(bytes(2000))])
def test_servers_that_stall_trickle_or_talk_nonsense_are_left_and_tried_again(answer, monkeypatch):
    monkeypatch.setattr(heimdall_module, "_FIRST_S", 0.1)
    with rogue(answer) as port, client_of(port, timeout_s=0.1) as client:
        wait_for(lambda: client.counters.failures >= 3)
        assert client.get(0) is None and client.counters.frames == 0


def test_a_frame_on_its_way_is_read_before_the_client_leaves(monkeypatch):
    monkeypatch.setattr(client_module, "_LEAVE_S", 60.0)
    with emulator(paced=True, source=Counting(200.0)) as server:  # a frame is due every 0.2 s: one always is on its way
        for turn in range(3):
            with connected(server) as client:
                take(client, 1)
                time.sleep(0.05 * turn)
            wait_for(lambda: not server.serving)
            assert server.left == 0 and server.ended is None and client.state == STOPPED
        assert server.requests >= 6


def test_a_client_that_is_stopped_before_its_first_frame_waits_for_it(monkeypatch):
    monkeypatch.setattr(client_module, "_LEAVE_S", 60.0)
    with emulator(paced=True, source=Counting(80.0)) as server:
        with connected(server) as client:
            wait_for(lambda: server.requests == 1)
        wait_for(lambda: not server.serving)
        assert server.left == 0 and client.counters.passed == 1


def test_a_program_that_ends_by_an_error_takes_leave_too():
    code = f"""from doamc.krakensdr import Client
from doamc.krakensdr.version1 import Heimdall
client = Client("127.0.0.1", [Heimdall(int(input()), {CHANNELS})])
client.start()
assert client.get(60.0)
raise SystemExit(7)"""
    with emulator(paced=True, source=Counting(200.0)) as server:
        done = subprocess.run([sys.executable, "-c", code], input=f"{server.port}\n", text=True, timeout=120)
        assert done.returncode == 7
        wait_for(lambda: not server.serving)
        assert server.left == 0 and server.ended is None and server.requests >= 2


def test_a_server_that_sends_nothing_is_left_in_bounded_time(monkeypatch):
    monkeypatch.setattr(client_module, "_LEAVE_S", 0.2)
    with rogue(lambda c, e: e.wait(60.0)) as port, client_of(port, timeout_s=60.0) as client:
        wait_for(lambda: client.state == WAITING)
        begin = time.monotonic()
        client.stop()
        assert time.monotonic() - begin < 30.0 and client.state == STOPPED


def test_a_first_frame_that_is_longer_than_the_timeout_is_waited_for(monkeypatch):
    monkeypatch.setattr(heimdall_module, "_FIRST_S", 25.0)
    with emulator(paced=True, source=Counting(80.0)) as server, connected(server, timeout_s=0.1) as client:
        first = client.get(60.0)  # due after 0.5 s
        assert first.duration_s == 0.5 and client.counters.failures == 0 and server.left == 0


def test_a_frame_that_claims_to_last_for_months_costs_no_patience(monkeypatch):
    monkeypatch.setattr(heimdall_module, "_LONGEST_S", 0.3)
    monkeypatch.setattr(heimdall_module, "_LEAVE_SIGNAL_S", 0.3)
    header = Header(active_ant_chs=CHANNELS, cpi_length=LENGTH, sampling_freq=1)

    def answer(connection, ended):
        connection.sendall(header.pack() + bytes(header.payload_size))
        while connection.recv(64):  # until the client leaves
            pass

    with rogue(answer) as port, connected(Namespace(port=port), timeout_s=60.0) as client:
        wait_for(lambda: client.counters.failures >= 2)
        assert client.counters.passed + client.counters.duplicates >= 2


def test_memory_follows_what_came_and_a_trickle_is_a_stall():
    header = Header(active_ant_chs=CHANNELS, cpi_length=1 << 23, sampling_freq=2_400_000)  # announces 201 MB

    def answer(connection, ended):
        connection.sendall(header.pack() + bytes(3 << 20))
        trickle(connection, ended)

    told = []
    with rogue(answer) as port, connected(Namespace(port=port), timeout_s=0.3, on_state=told.append) as client:
        wait_for(lambda: client.counters.broken >= 2, limit_s=60.0)
        assert "stall" in client.last_error and told[:3] == [WAITING, ABSENT, WAITING]
        assert all(len(buffer.data) <= (3 << 20) + 2 * STEP for buffer in client.pool.free)
        assert client.counters.passed == 0


def test_frames_that_are_of_no_use_take_no_memory():
    header = Header(active_ant_chs=CHANNELS + 1, cpi_length=1 << 16, sampling_freq=2_400_000)

    def answer(connection, ended):
        for number in range(3):
            connection.sendall(replace(header, cpi_index=number).pack() + bytes(header.payload_size))
        ended.wait(60.0)

    with rogue(answer) as port, connected(Namespace(port=port)) as client:
        wait_for(lambda: client.counters.wrong_channels == 3)
        assert not any(buffer.data for buffer in client.pool.free)


def test_an_error_of_who_listens_to_the_state_costs_nothing():
    def listen(state):
        raise OverflowError(state)

    with emulator() as server, connected(server, on_state=listen) as client:
        assert take(client, 5) == list(range(5))
        assert client.last_error == "on_state: OverflowError: streaming" and client.counters.failures == 0


def test_an_error_that_nobody_thought_of_is_told_and_survived(monkeypatch):
    parse, faulty = Header.parse, iter([OverflowError("too large"), MemoryError(), RecursionError("deep")])

    def failing(data):
        for error in faulty:
            raise error
        return parse(data)

    monkeypatch.setattr(Header, "parse", staticmethod(failing))
    with emulator(forgiving=True) as server, connected(server) as client:
        assert take(client, 3) == [3, 4, 5]
        assert client.counters.failures == 3 and "deep" in client.last_error


def test_a_client_that_is_started_again_leaves_an_attempt_that_hangs_behind(monkeypatch):
    monkeypatch.setattr(client_module, "_LEAVE_S", 0.1)
    hangs, link = threading.Event(), client_module.Link

    def hanging(*arguments):
        if not hangs.is_set():  # as a name server may
            hangs.wait(60.0)
        return link(*arguments)

    monkeypatch.setattr(client_module, "Link", hanging)
    with emulator() as server:
        client = connected(server)
        client.start()
        first = client._thread
        client.stop()
        assert first.is_alive() and client.state == STOPPED
        hangs.set()
        with client:
            assert take(client, 5) == list(range(5))
            first.join(10.0)
            assert not first.is_alive() and client.state == STREAMING and client.counters.connects == 1


def test_a_connection_to_oneself_is_no_server(monkeypatch):
    def own(address, timeout):
        mirror = socket.socket()
        mirror.bind(("127.0.0.1", 0))
        mirror.connect(mirror.getsockname())
        return mirror

    monkeypatch.setattr(socket, "create_connection", own)
    with pytest.raises(ConnectionRefusedError, match="itself"):
        Link(("127.0.0.1", 1), 1.0, Halt())


def test_what_is_not_taken_is_not_asked_for_and_memory_stays():
    with emulator() as server, connected(server, buffers=2) as client:
        wait_for(lambda: client.counters.passed == 2)
        time.sleep(0.1)
        assert server.requests == 2
        frames = [client.get(60.0), client.get(60.0)]
        client.release(frames[0])
        client.release(frames[0])  # again is harmless
        wait_for(lambda: client.counters.passed == 3)
        time.sleep(0.05)
        assert server.requests == 3 and client.get(60.0).number == 2


def test_a_paced_server_leaves_out_what_is_not_fetched_in_time():
    with emulator(paced=True) as server, connected(server, buffers=1) as client:  # a frame every 0.4 ms
        first = client.get(60.0)
        time.sleep(0.1)
        client.release(first)
        second = client.get(60.0)
        assert second.lost == second.number - first.number - 1 > 100
        assert client.counters.lost == second.lost <= server.skipped


def test_arguments_out_of_range_are_refused():
    for wrong in ({"timeout_s": 0}, {"buffers": 0}, {"port": 0}):
        with pytest.raises(ReceiverError, match="expected"):
            Heimdall(**wrong)
