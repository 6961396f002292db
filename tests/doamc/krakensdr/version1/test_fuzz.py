"""Any bytes: a server, whatever it sends, ends neither the client nor its memory; nor does a client the emulator."""

import socket
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import doamc.krakensdr.version1.heimdall as heimdall_module
from doamc.errors import ReceiverError
from doamc.krakensdr.link import STEP
from doamc.krakensdr.version1 import Control, Header
from doamc.krakensdr.version1.counters import Counters, Numbering
from doamc.krakensdr.version1.frame import MAX_PAYLOAD
from tests.doamc.krakensdr.version1.serving import CHANNELS, LENGTH, Counting, client_of, emulator, rogue, wait_for

WORD, LONG = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
#: values that a field may well have, and any other
few = st.one_of(st.sampled_from([0, 1, 2, CHANNELS, 8, 16, 32, LENGTH]), WORD)
headers = st.builds(
    Header, frame_type=few, active_ant_chs=few, rf_center_freq=LONG, sampling_freq=st.one_of(few, LONG), cpi_length=few,
    time_stamp=LONG, cpi_index=few, sample_bit_depth=few, adc_overdrive_flags=WORD, delay_sync_flag=few,
    iq_sync_flag=few, sync_state=WORD, if_gains=WORD.map(lambda g: (g,) * 32),
    sync_word=st.sampled_from([0x2BF7B95A] * 9 + [0]),
)  # fmt: skip


@settings(max_examples=200)
@given(st.one_of(st.binary(min_size=1024, max_size=1024), headers.map(Header.pack)), st.dictionaries(
    st.integers(0, 255), WORD, max_size=4))  # fmt: skip
def test_any_header_is_refused_or_bounded(data, changes):
    changed = bytearray(data)
    for word, value in changes.items():
        struct.pack_into("<I", changed, 4 * word, value)
    try:
        header = Header.parse(changed)
    except ReceiverError as error:
        assert len(str(error)) < 250
        return
    assert 0 <= header.payload_size <= MAX_PAYLOAD and header.duration_s >= 0
    assert len(header.gains_db) == len(header.overdriven) == header.active_ant_chs <= 32


@settings(max_examples=60)
@given(st.lists(st.tuples(headers, st.sampled_from(["", "malformed", "broken", "absent", "connected"])), max_size=30))
def test_any_order_of_numbers_counts_upwards(events):
    numbering = Numbering(counters := Counters())
    for header, event in events:
        lost = counters.lost
        _, missing, _ = numbering.see(header)
        assert 0 <= missing <= counters.lost and lost - 1 <= counters.lost
        if event:
            getattr(numbering, event)()


#: what a server says on a connection: bytes, headers with so much of their samples; then it closes, or is silent
says = st.lists(st.one_of(
    st.binary(max_size=3000), headers.map(Header.pack),
    st.tuples(headers, st.integers(0, 5000)).map(lambda hn: hn[0].pack() + bytes(hn[1])),
), max_size=4)  # fmt: skip
scripts = st.lists(st.tuples(says, st.booleans()), min_size=1, max_size=4)


def good(connection, begin):
    """Serve frames of the client's channels until it leaves."""
    number = begin
    while connection.recv(64) in (b"streaming", b"IQDownload"):
        header = Header(active_ant_chs=CHANNELS, cpi_length=LENGTH, sampling_freq=100_000, cpi_index=number)
        connection.sendall(header.pack() + Counting().frame(number).astype("<c8").tobytes())
        number += 1


@settings(max_examples=10)
@given(scripts)
def test_after_any_servers_a_good_one_is_received(scripts):
    waiting = iter(scripts)

    def answer(connection, ended):
        script, silent = next(waiting, (None, False))
        if script is None:
            return good(connection, 0)
        for part in script:
            connection.sendall(part)
        while silent and connection.recv(64):
            pass

    with pytest.MonkeyPatch.context() as patch, rogue(answer) as port:
        patch.setattr(heimdall_module, "_LONGEST_S", 0.05)  # a header may claim any duration
        client, found = client_of(port, n_channels=CHANNELS, timeout_s=0.02), []

        def received():
            frame = client.get(0.05)
            if frame is not None:
                if frame.number == 9 and np.array_equal(frame.samples, Counting().frame(9)):
                    found.append(frame)
                client.release(frame)
            return found

        with client:
            wait_for(received, limit_s=120.0)
            count = client.counters
            assert count.frames == count.passed + count.kept_back
            assert all(len(buffer.data) <= 2 * STEP for buffer in client.pool.free)


@settings(max_examples=30)
@given(st.lists(st.one_of(st.just(b"FNSD" + bytes(124)), st.binary(max_size=300)), max_size=4))
def test_any_replies_confirm_or_are_errors(replies):
    def answer(connection, ended):
        for reply in replies:
            if connection.recv(128):
                connection.sendall(reply)

    with rogue(answer) as port, Control(port=port, timeout_s=0.02) as control:
        for _ in range(3):
            try:
                assert len(control.request(b"AGC " + bytes(124))) == 124
            except ReceiverError as error:
                assert len(str(error)) < 250


words = st.one_of(st.sampled_from([b"streaming", b"IQDownload", b"q"]), st.binary(min_size=1, max_size=90))
commands = st.one_of(
    st.tuples(st.sampled_from([b"INIT", b"FREQ", b"GAIN", b"AGC ", b"STHU"]), st.binary(max_size=124)).map(b"".join),
    st.binary(min_size=1, max_size=200),
)


def test_the_emulator_answers_or_ends_whatever_it_is_told():
    server = [emulator(forgiving=True)]
    server[0].start()

    @settings(max_examples=60)
    @given(st.lists(words, max_size=4), st.lists(commands, max_size=3))
    def tell(words, commands):
        for port, parts in ((server[0].port, words), (server[0].control_port, commands)):
            with socket.create_connection(("127.0.0.1", port), 20.0) as client:
                try:
                    for part in parts:
                        client.sendall(part)
                        if not client.recv(1 << 16):
                            break
                except TimeoutError:
                    raise
                except OSError:
                    pass  # it closed first
        assert server[0].ended is None and server[0]._thread.is_alive()
        wait_for(lambda: server[0].control.ended or not server[0].control.serving)
        if server[0].control.ended:  # as the original's does
            server[0].stop()
            server[0] = emulator(forgiving=True)
            server[0].start()

    try:
        tell()
    finally:
        server[0].stop()
