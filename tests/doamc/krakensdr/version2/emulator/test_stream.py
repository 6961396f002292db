"""What the emulator of version 2 sends, read by a reader that shares nothing with the library."""

import socket
import struct
from contextlib import suppress

import numpy as np
import pytest

from doamc.errors import ReceiverError
from tests.doamc.krakensdr.version1.serving import wait_for
from tests.doamc.krakensdr.version2.emulator.plain import Plain, complex_of, read_all
from tests.doamc.krakensdr.version2.emulator.serving import BEFORE, CHANNELS, LENGTH, emulator, payloads

SIZE = 32 + 8 * CHANNELS + 2 * CHANNELS * LENGTH


def served(**options):
    """What a client reads of so many packets, and the emulator, which has ended."""
    with emulator(**({"packets": 20} | options)) as server:
        plain = read_all(server.port)
        assert server.done.wait(20.0) and server.ended is None
    return plain, server


def account_of(plain, server):
    """The only account; every byte of it was read, and nothing else."""
    (account,) = server.clients.accounts
    assert plain.received == account.sent == plain.whole + plain.passed_over + len(plain.waiting)
    return account


def test_a_packet_byte_for_byte():
    source = payloads()
    with emulator(payloads=source, packets=BEFORE + 1, frequency_hz=433.9e6, gain_db=12.5) as server:
        with socket.create_connection(("127.0.0.1", server.port), 20.0) as client:
            data = b""
            while part := client.recv(1 << 16):
                data += part
    assert len(data) == (BEFORE + 1) * SIZE
    words = bytes.fromhex("4d434851 00000003 00000028 00000004 00000000 00000000 00000000 00000000")
    channel = struct.pack("<f", 433.9e6) + struct.pack("<f", 12.5)
    assert data[BEFORE * SIZE :] == words + 3 * channel + source.antennas[BEFORE].tobytes()


def test_after_the_start_the_phases_are_measured_and_samples_are_calibrated_only_then():
    plain, server = served()
    assert [p.phase for p in plain.packets] == [0, 1, 2, 3] + 16 * [4]
    assert [p.noise for p in plain.packets] == 4 * [1] + 16 * [0]
    source = server.stream.payloads
    for number, packet in enumerate(plain.packets):
        loop = source.noise if packet.noise else source.antennas
        assert np.array_equal(packet.samples.reshape(-1), loop[number % len(loop)])
    account = account_of(plain, server)
    assert account.packets == 20 and account.states["usable"] == account.states["converged"] == 16
    assert account.marks == {"noise": 4} and account.ended == "the end of the data" and not account.lost


def test_a_change_of_frequency_shows_in_flag_counter_frequency_and_state():
    tuned = []

    def enough(plain):
        if len(plain.packets) > BEFORE and not tuned:
            tuned.append(server.tuner.tune(868e6))
        return len([p for p in plain.packets if p.counter]) > 15

    with emulator(room=1) as server:
        plain = read_all(server.port, until=enough)
    told = [(p.phase, p.noise, p.retuning, p.counter, p.frequencies[0]) for p in plain.packets]
    begin = next(k for k, packet in enumerate(told) if packet[2])
    assert set(told[BEFORE:begin]) == {(4, 0, 0, 0, np.float32(433.9e6))}
    old, new = np.float32(433.9e6), np.float32(868e6)
    # 20 ms of retuning, 30 of cooling, 10 each of the calibration
    changes = [(4, 0, 1, 1, old)] * 2 + [(5, 0, 0, 1, new)] * 3 + [(k, 1, 0, 1, new) for k in range(4)]
    assert told[begin : begin + 9] == changes
    assert set(told[begin + 9 :]) <= {(4, 0, 0, 1, new)}
    assert all(len(set(p.frequencies)) == 1 == len(set(p.gains)) for p in plain.packets)


def test_every_channel_has_an_offset_of_its_own_and_the_calibration_noise_is_common():
    source = payloads(n_samples=4096, offset=6.0)
    plain, _ = served(payloads=source, rate_hz=4096e2, packets=BEFORE + 1)
    first, last = plain.packets[0].samples.astype(float), plain.packets[-1].samples.astype(float)
    expected = 127.5 + source.offset
    assert len({float(x) for x in source.offset.reshape(-1)}) == 2 * CHANNELS and abs(source.offset).max() > 2
    for samples in (first, last):  # means of 4096: their deviation is 23 steps / 64
        assert abs(samples.mean(1) - expected).max() < 5 * 23 / 64
    coherence = np.corrcoef(complex_of(first)), np.corrcoef(complex_of(last))
    off = ~np.eye(CHANNELS, dtype=bool)
    assert abs(coherence[0][off]).min() > 0.99 and abs(coherence[1][off]).max() < 5 / 64
    rms = np.sqrt((abs(complex_of(last)) ** 2).mean(1))
    assert abs(20 * np.log10(rms) + 12).max() < 0.5  # the level asked for, -12 dB of full scale


@pytest.mark.parametrize(
    ("fault", "packets", "passed_over"),
    [("drop", 19, 0), ("garbage", 20, None), ("truncate", 19, None), ("headless", 19, None), ("bad-magic", 19, SIZE),
     ("stall", 20, 0), ("channels", 20, 0), ("noise", 20, 0), ("wideband", 20, 0), ("independent", 20, 0),
     ("clip", 20, 0), ("magic", 20, 0)],
)  # fmt: skip
def test_a_fault_of_one_packet_is_told_by_account_and_reader_alike(fault, packets, passed_over):
    number = 10
    plain, server = served(at={number: fault}, stall_s=0.01, seed=3)
    account = account_of(plain, server)
    assert server.stream.faulty[fault] == 1 and sum(server.stream.faulty.values()) == 1
    if (
        fault != "truncate"
    ):  # of which a whole header may be left, and the reader then takes the next packet for samples
        assert account.packets == len(plain.packets) == packets and not plain.waiting
        none = sum(size for kind, size in account.bytes.items() if kind != "packet")
        assert plain.passed_over == none and (passed_over is None or none == passed_over)
    usable = {"stall", "clip", "magic"}
    lost = {"drop", "truncate", "headless", "bad-magic"}
    assert account.states["usable"] == 16 - (fault not in usable | {"garbage"})
    if fault in usable | lost:
        assert not account.marks - server.clients.accounts[0].marks or account.marks == {"noise": 4}
    if fault == "clip":
        assert np.isin(plain.packets[number].samples, (0, 255)).mean() > 0.5
    if fault == "magic":
        assert b"MCHQ" in plain.packets[number].samples.tobytes()
    if fault == "channels":
        assert len(plain.packets[number].samples) in (CHANNELS - 1, CHANNELS + 1)
    if fault in ("wideband", "independent"):
        assert plain.packets[number].phase == {"wideband": 0x406, "independent": 0x804}[fault]


def test_a_retune_from_outside_and_lost_coherence_run_the_calibration_again():
    plain, _ = served(at={6: "retune"}, packets=30)
    assert [p.phase for p in plain.packets[6:16]] == [4, 4, 5, 5, 5, 0, 1, 2, 3, 4]
    assert plain.packets[8].frequencies[0] in (np.float32(432.9e6), np.float32(434.9e6))
    plain, server = served(at={6: "incoherent"})
    assert [p.phase for p in plain.packets[5:11]] == [4, 1, 2, 3, 4, 4] and server.tuner.coherence_events == 1
    assert all(p.counter == 0 for p in plain.packets)


def test_it_closes_and_restarts_on_demand():
    for fault, why in (("close", "a fault: close"), ("restart", "a fault: restart")):
        with emulator(at={8: fault}, restart_s=0.01) as server:
            before, after = read_all(server.port), Plain()
            while not after.packets:
                with suppress(ConnectionError):  # it may be away
                    read_all(server.port, after, until=lambda plain: len(plain.packets) > 4)
            account = server.clients.accounts[0]
        assert account.ended == why and account.sent == before.received and len(before.packets) == 8
        assert [p.phase for p in after.packets][:4] == ([0, 1, 2, 3] if fault == "restart" else [4] * 4)


def test_the_number_of_channels_can_change_for_good():
    def fewer(plain):
        if len(plain.packets) > BEFORE:
            server.stream.n_channels = CHANNELS - 1
        return len(plain.packets) > BEFORE and len(plain.packets[-1].samples) < CHANNELS

    with emulator(room=1) as server:
        plain = read_all(server.port, until=fewer)
    assert plain.passed_over == 0 and server.clients.total().marks["channels"] > 0
    one = next(p for p in plain.packets if len(p.samples) < CHANNELS)
    loops = [p.reshape(CHANNELS, LENGTH, 2) for p in server.stream.payloads.antennas]
    assert any(np.array_equal(one.samples, loop[: CHANNELS - 1]) for loop in loops)
    assert len(one.frequencies) == CHANNELS - 1


def test_several_clients_get_the_same_and_one_that_reads_nothing_holds_up_nobody():
    """164 kB a packet: 40 of them fill what the network and a queue of 8 hold."""
    big = payloads(5, 16384, count=2)
    with emulator(payloads=big, paced=True, rate_hz=16384e3, room=8) as server:
        with socket.create_connection(("127.0.0.1", server.port), 20.0) as stuck:
            wait_for(lambda: len(server.clients.serving) == 1)
            (account,) = server.clients.accounts
            plains = [Plain(keep=0), Plain(keep=0)]

            def enough(plain):
                return plain.whole > 60 * 164_000 and account.lost > 5

            for plain in plains:
                read_all(server.port, plain, enough)
                assert plain.passed_over == 0
            assert stuck.fileno() > 0 and account.ended is None and account.lost > 5
            others = [a for a in server.clients.accounts if a is not account]
            assert len(others) == 2 and all(a.ended is None or "it" in a.ended for a in others)


def test_one_that_is_too_slow_is_left_where_that_is_asked_for():
    big = payloads(5, 16384, count=2)
    with emulator(payloads=big, paced=True, rate_hz=16384e3, room=8, close_when_full=True) as server:
        with socket.create_connection(("127.0.0.1", server.port), 20.0):
            wait_for(lambda: any(a.ended == "it was too slow" for a in server.clients.accounts))


def test_a_client_that_talks_is_left():
    with emulator() as server, socket.create_connection(("127.0.0.1", server.port), 20.0) as client:
        client.sendall(b"streaming")
        wait_for(lambda: any(a.ended == "it left (it sent 9 bytes)" for a in server.clients.accounts))


def test_a_paced_stream_runs_without_clients_and_leaves_out_what_it_is_too_late_for():
    with emulator(paced=True, rate_hz=1e9) as server:  # 40 ns a packet: no computer keeps up
        wait_for(lambda: server.skipped > 0)
        plain = read_all(server.port, until=lambda plain: len(plain.packets) > 10)
        assert plain.packets[0].phase in range(5)
    assert server.clients.total().packets > 10 and server.stream.produced > server.skipped


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"rate_hz": 0.0}, "rate"), ({"rate_hz": float("nan")}, "rate"), ({"frequency_hz": 2e9}, "frequency"),
     ({"room": 0}, "room"), ({"status_s": 0.0}, "status"), ({"control_delay_s": -1.0}, "delay")],
)  # fmt: skip
def test_values_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ReceiverError, match=words):
        emulator(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"n_channels": 1}, {"n_channels": 6}, {"n_samples": 65537}, {"n_samples": 0}, {"level_db": 30.0},
              {"offset": -1.0}, {"offset": float("nan")}],
)  # fmt: skip
def test_what_no_packet_holds_is_refused(wrong):
    with pytest.raises(ReceiverError, match="expected"):
        payloads(**wrong)
