"""The client against the emulator over real sockets: every fault, alone, and what it must do to the counts."""

import socket
import threading
import time

import pytest

from doamc.errors import ReceiverError
from doamc.heimdall import Client
from doamc.heimdall.client import ABSENT, MISMATCH, STOPPED, STREAMING
from tests.doamc.heimdall.serving import CHANNELS, connected, emulator, take, wait_for


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
    with emulator(at={3: fault}, stall_s=4.0) as server, connected(server, timeout_s=2.0) as client:
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
            told.append((frame.header.cpi_index, frame.lost, frame.first))
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
    with Client(port=port) as client:
        wait_for(lambda: client.counters.failures >= 3)
        assert client.state == ABSENT and "refused" in client.last_error
        with emulator(port=port):
            assert take(client, 1) == [0]


def rogue(answer):
    """A server that answers every connection by a function; its port and a way to end it."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def run():
        listener.settimeout(0.05)
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                continue
            with connection:
                try:
                    answer(connection, ended)
                except OSError:
                    pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end():
        ended.set()
        thread.join(5.0)
        listener.close()

    return listener.getsockname()[1], end


def trickle(connection, ended):
    while not ended.wait(0.02):
        connection.sendall(b"\x5a")


@pytest.mark.parametrize("answer", [lambda c, e: e.wait(60.0), trickle, lambda c, e: c.sendall(bytes(2000))])
def test_servers_that_stall_trickle_or_talk_nonsense_are_left_and_tried_again(answer):
    port, end = rogue(answer)
    with Client(port=port, timeout_s=0.1) as client:
        wait_for(lambda: client.counters.failures >= 3)
        assert client.get(0) is None and client.counters.frames == 0
        begin = time.monotonic()
        client.stop()
        assert time.monotonic() - begin < 30.0  # the server would keep it waiting for longer
    end()


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
        assert server.requests == 3 and client.get(60.0).header.cpi_index == 2


def test_a_paced_server_leaves_out_what_is_not_fetched_in_time():
    with emulator(paced=True) as server, connected(server, buffers=1) as client:  # a frame every 0.4 ms
        first = client.get(60.0)
        time.sleep(0.1)
        client.release(first)
        second = client.get(60.0)
        assert second.lost == second.header.cpi_index - first.header.cpi_index - 1 > 100
        assert client.counters.lost == second.lost <= server.skipped


def test_arguments_out_of_range_are_refused():
    for wrong in ({"timeout_s": 0}, {"buffers": 0}, {"port": 0}):
        with pytest.raises(ReceiverError, match="expected"):
            Client(**wrong)
