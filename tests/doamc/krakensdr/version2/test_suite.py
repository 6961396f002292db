"""Version 2 over real sockets: what passes, what is counted, what is told, whatever the server does."""

import gc
import time
import weakref

import numpy as np
import pytest

import doamc.krakensdr.session as session_module
import doamc.krakensdr.version2.assembler as assembler_module
import doamc.krakensdr.version2.suite as suite_module
from doamc.errors import ReceiverError
from doamc.krakensdr.link import Halt
from doamc.krakensdr.pool import Pool
from doamc.krakensdr.session import ABSENT, MISMATCH, STOPPED, STREAMING, UNSYNCHRONISED, WAITING
from doamc.krakensdr.version2 import Suite
from tests.doamc.krakensdr.version2.serving import CHANNELS, LENGTH, client_of, packet, rogue, sending, take, wait_for

SIZE = len(packet())


def counted(client):
    """The counters that are not 0; every byte must be accounted for."""
    assert client.counters.unaccounted == 0
    return {k: n for k, n in client.counters.as_dict().items() if n and not k.startswith("lost_")}


def test_samples_arrive_whole_and_in_order():
    with sending(*(packet(k) for k in range(50))) as port, client_of(port) as client:
        numbers, told = take(client, 50)
        assert numbers == list(range(50)) and told[0] == (0, True, True, {})
        assert all(t == (0, False, False, {}) for t in told[1:])
        assert client.state == STREAMING and client.last_error is None
        assert counted(client) == {"connects": 1, "bytes": 50 * SIZE, "passed": 50, "bytes_passed": 50 * SIZE}
    assert client.state == STOPPED


def test_what_cannot_be_used_is_kept_back_counted_and_told_with_the_next_frame():
    fates = {
        "wrong_channels": {"channels": 4}, "wideband": {"phase": 0x404}, "independent": {"phase": 0x804},
        "noise_source": {"noise": 1}, "not_converged": {"phase": 5},
    }  # fmt: skip
    others = [packet(**told) for told in fates.values()]
    with sending(packet(0), *others, packet(7)) as port, client_of(port) as client:
        numbers, told = take(client, 2)
        assert numbers == [0, 7] and told[1] == (0, True, False, dict.fromkeys(fates, 1))
        sizes = {f"bytes_{name}": len(data) for name, data in zip(fates, others, strict=True)}
        whole = 2 * SIZE + sum(sizes.values())
        assert counted(client) == {
            "connects": 1, "bytes": whole, "passed": 2, "bytes_passed": 2 * SIZE, **dict.fromkeys(fates, 1), **sizes,
        }  # fmt: skip


def test_a_retuning_costs_its_packets_and_the_settling_time_by_the_count_of_samples():
    parts = (
        packet(0), packet(1, retuning=1), packet(2, frequency_hz=868e6, changes=1),
        packet(3, frequency_hz=868e6, changes=1), packet(9, frequency_hz=868e6, changes=1),
    )  # fmt: skip
    with sending(*parts) as port, client_of(port, settling_s=2 * LENGTH / 2.4e6) as client:
        numbers, told = take(client, 2)
        assert numbers == [0, 9] and told[1] == (0, True, False, {"retuning": 1, "settling": 2})
        assert client.counters.changes == 1  # the counter and the end of the retuning are one


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [({"channels": 4}, MISMATCH, "expected 3 channels, found 4"), ({"phase": 1}, UNSYNCHRONISED, "measuring the phase"),
     ({"retuning": 1}, UNSYNCHRONISED, "retuning")],
)  # fmt: skip
def test_why_nothing_passes_is_said(told, state, words):
    with sending(packet(**told), packet(**told)) as port, client_of(port) as client:
        wait_for(lambda: client.state == state)
        assert client.get(0.05) is None and words in client.last_error


def test_bytes_that_are_none_of_the_protocol_are_passed_over_and_counted():
    stream = b"\1" * 500 + packet(1) + packet(2)[:100] + packet(3) + packet(4)
    with sending(stream) as port, client_of(port) as client:
        numbers, told = take(client, 3)
        assert numbers == [1, 3, 4]
        count = counted(client)
        assert (count["bytes_passed_over"], count["resyncs"], count["passed"]) == (600, 2, 3)
        gaps = [(lost, first) for lost, gap, first, _ in told if gap]
        assert gaps == [(0, True), (1, False)]  # before 1, which came first, and before 3


def test_a_packet_that_is_cut_short_by_a_server_that_closes_is_counted():
    turns = iter([packet(0) + packet(1) + packet(2)[:77], packet(3)])

    def answer(connection, ended):
        connection.sendall(next(turns, b""))

    with rogue(answer) as port, client_of(port) as client:
        numbers, told = take(client, 3)
        assert numbers == [0, 1, 3] and told[-1] == (0, True, True, {})
        wait_for(lambda: client.counters.failures >= 2 and client.counters.pending == 0)
        count = counted(client)
        assert count["bytes_cut_short"] == 77 and count["passed"] == 3 and "closed" in client.last_error


def test_a_silent_server_is_told_soon_and_left_after_the_timeout(monkeypatch):
    monkeypatch.setattr(suite_module, "_SILENT_S", 0.1)
    told = []
    with sending(packet(0), packet(1)) as port, client_of(port, told.append, timeout_s=1.0) as client:
        take(client, 2)
        wait_for(lambda: ABSENT in told)
        assert told[:4] == [WAITING, STREAMING, WAITING, ABSENT] and "found none for" in client.last_error
        take(client, 2)  # it is connected to again


def test_a_server_that_talks_nonsense_is_left(monkeypatch):
    def babble(connection, ended):
        while not ended.is_set():
            connection.sendall(np.random.default_rng(0).bytes(100_000))

    with rogue(babble) as port, client_of(port, timeout_s=0.3) as client:
        wait_for(lambda: client.counters.failures >= 2)
        assert client.get(0) is None and client.session.heard == 0
        assert counted(client)["bytes_passed_over"] > 100_000


def test_a_server_that_comes_back_is_found_and_the_gap_told():
    turns = iter([packet(0), b"", b"", packet(1)])

    def answer(connection, ended):
        connection.sendall(next(turns, b""))

    with rogue(answer) as port, client_of(port) as client:
        numbers, told = take(client, 2)
        assert numbers == [0, 1] and told[1] == (0, True, True, {})


def test_what_nobody_takes_is_dropped_counted_and_told(monkeypatch):
    monkeypatch.setattr(assembler_module, "_MEMORY", 0)  # two frames
    monkeypatch.setattr(assembler_module, "_ENOUGH", 1)
    with sending(*(packet(k % 100) for k in range(4000))) as port, client_of(port) as client:
        wait_for(lambda: client.session.heard == 4000)
        count = counted(client)
        assert count["passed"] + count["not_taken"] == 4000 and count["not_taken"] > 1000
        assert count["bytes_passed"] + count["bytes_not_taken"] == 4000 * SIZE and client.state == STREAMING


class Desk(session_module.Desk):
    """What a session reports to, in place of a client."""

    def __init__(self):
        self.pool, self.told = Pool(), []

    def tell(self, state, remark=None):
        self.told.append(state)


def test_what_the_clock_shows_to_be_lost_is_told_with_the_next_frame_and_counted_with_its_uncertainty():
    suite, desk, halt = Suite(n_channels=CHANNELS, settling_s=0.0, sample_rate_hz=1e3), Desk(), Halt()
    connection, lost, shifts = suite_module._Connection(suite, halt, desk), [], []
    before, shift = 0, 0.0
    for k in range(250):  # packets of 40 ms, 10 s of them
        shift += 2.0 if k == 100 else 0.0  # 50 of which are missing here
        data = packet(k % 100)
        connection.room()[: len(data)] = data
        connection.take(len(data), 1000.0 + 0.04 * (k + 1) + shift)
        while (frame := desk.pool.get(0.0, halt)) is not None:
            if frame.gap and not frame.first:
                lost.append((before // LENGTH, frame.lost))
            shifts.append(frame.time_s - before / 1e3)
            before += frame.samples.shape[1]
            desk.pool.release(frame)
    ((place, packets),) = lost
    assert packets == 50 and 100 < place < 160  # told within two windows of a second, for all that is known
    count = suite.counters
    assert abs(count.lost_estimate - 2000) <= count.lost_uncertainty < 200
    assert suite.news == {
        "lost": f"{count.lost_estimate} samples of each channel, give or take {count.lost_uncertainty}, by the clock"
    }
    # by so much the last time is later than the samples before it
    assert shifts[-1] - shifts[0] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    "wrong",
    [{"port": 0}, {"timeout_s": 0.0}, {"settling_s": -1.0}, {"settling_s": float("nan")}, {"sample_rate_hz": 0.0}],
)
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ReceiverError, match="expected"):
        Suite(**wrong)


def test_a_connection_that_ended_takes_no_memory():
    """Its scanner and frame hold megabytes; in a cycle they would stay until the collector runs."""
    suite = Suite()
    gc.collect()
    gc.disable()
    try:
        connection = suite_module._Connection(suite, Halt(), Desk())
        connection.take(0, time.monotonic())
        connection.end(time.monotonic())
        gone = weakref.ref(connection)
        del connection
        assert gone() is None
    finally:
        gc.enable()
