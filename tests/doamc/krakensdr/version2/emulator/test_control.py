"""The control server of version 2, spoken to by a plain socket."""

import json
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.krakensdr.version2.emulator.objects import LARGEST, split_objects
from tests.doamc.krakensdr.version1.serving import wait_for
from tests.doamc.krakensdr.version2.emulator.plain import read_all
from tests.doamc.krakensdr.version2.emulator.serving import CHANNELS, emulator


class Caller:
    """A connection to the control port: lines of JSON come, commands go."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20.0)
        self.lines = self.socket.makefile("rb")
        self.told = []  # statuses that came unasked

    def ask(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else json.dumps(text).encode())
        return self.reply()

    def reply(self):
        while True:
            found = json.loads(self.lines.readline())
            if "status" in found:
                return found
            self.told.append(found)

    def status(self):
        return json.loads(self.lines.readline())

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.lines.close()
        self.socket.close()


def test_commands_take_effect_and_are_answered():
    with emulator() as server, Caller(server.control_port) as caller:
        assert caller.ask({"command": "set_frequency", "frequency": 868.3e6}) == {"status": "success"}
        assert caller.ask({"command": "set_gain", "gain": 32.8}) == {"status": "success"}
        assert caller.ask({"command": "set_stability_delay", "delay_ms": 50}) == {"status": "success"}
        plain = read_all(server.port, until=lambda plain: len(plain.packets) > 5)
        assert (
            plain.packets[-1].frequencies == CHANNELS * (float(np.float32(868.3e6)),) and plain.packets[-1].counter == 1
        )
        assert {round(g, 4) for g in plain.packets[-1].gains} == {32.8}
        assert [c["command"] for c in server.control.commands] == ["set_frequency", "set_gain", "set_stability_delay"]


def test_the_delay_is_how_long_it_cools_down_after_the_next_change():
    with emulator(room=1) as server, Caller(server.control_port) as caller:
        caller.ask({"command": "set_stability_delay", "delay_ms": 70})
        caller.ask({"command": "set_gain", "gain": -1})
        plain = read_all(server.port, until=lambda plain: len(plain.packets) > 12)
        assert [p.phase for p in plain.packets[:12]] == 7 * [5] + [0, 1, 2, 3, 4]
        assert set(plain.packets[0].gains) == {30.0}  # what an automatic one has come to


def test_the_status_comes_unasked_and_shows_what_the_receiver_does():
    with emulator(room=1) as server, Caller(server.control_port) as caller:
        first = caller.status()
        assert set(first) == {
            "settings", "num_channels", "operating_mode", "cooldown_active", "cooldown_remaining_ms", "channel_comp",
            "coherence_events", "recovering",
        }  # fmt: skip
        assert first["settings"] == {"center_freq": 433.9e6, "gain": 20.0, "sample_rate": 4000.0, "rtl_tcp_channel": 0}
        assert first["num_channels"] == CHANNELS == len(first["channel_comp"])
        assert first["operating_mode"] == "coherent" and not first["cooldown_active"] and not first["recovering"]
        caller.ask({"command": "set_stability_delay", "delay_ms": 600_000})  # longer than what the network holds
        caller.ask({"command": "set_gain", "gain": 10})
        read_all(server.port, until=lambda plain: len(plain.packets) > 10)
        cooling = next(s for s in iter(caller.status, None) if s["cooldown_active"])  # no client: time stands still
        assert 0 < cooling["cooldown_remaining_ms"] <= 600_000 and cooling["settings"]["gain"] == 10.0
        server.tuner.lose_coherence()
        read_all(server.port, until=lambda plain: plain.packets)
        lost = next(s for s in iter(caller.status, None) if s["coherence_events"])
        assert lost["coherence_events"] == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [({"command": "set_frequency", "frequency": 23e6}, "frequency from 2.4e+07 to 1.766e+09, found 23000000.0"),
     ({"command": "set_frequency", "frequency": 1767e6}, "frequency"), ({"command": "set_frequency"}, "found None"),
     ({"command": "set_frequency", "frequency": "868e6"}, "found '868e6'"),
     ({"command": "set_frequency", "frequency": True}, "found True"), ({"command": "set_gain", "gain": 50.1}, "gain"),
     ({"command": "set_gain", "gain": None}, "gain"), ({"command": "set_stability_delay", "delay_ms": -1}, "delay_ms"),
     ({"command": "get_status"}, "found 'get_status'"), ({}, "found None"), (b'{"gain": NaN}', "NaN is not JSON"),
     (b"hello\n", "Expecting value"), (b"[1]\n", "object"), (b'{"a" 1}', "delimiter"),
     (b'{"command": {"command": {}}}', "found")],
)  # fmt: skip
def test_what_cannot_be_done_is_an_error_and_changes_nothing(command, words):
    with emulator() as server, Caller(server.control_port) as caller:
        answer = caller.ask(command)
        assert answer["status"] == "error" and words in answer["message"] and len(answer["message"]) < 450
        assert caller.ask({"command": "set_gain", "gain": 1}) == {"status": "success"}
        assert server.control.commands == [{"command": "set_gain", "gain": 1}]


def test_objects_come_in_any_pieces():
    with emulator() as server, Caller(server.control_port) as caller:
        text = b'{"command":"set_gain","gain":1}\n\r\n {"command":"set_gain",\n"gain":2}{"command":"set_gain","gain":3}'
        for place in range(len(text)):
            caller.socket.sendall(text[place : place + 1])
        assert [caller.reply()["status"] for _ in range(3)] == 3 * ["success"]
        assert [c["gain"] for c in server.control.commands] == [1, 2, 3]


def test_braces_and_quotes_within_texts_end_nothing():
    parts = [b'{"a": "}{"}', b'{"a": "\\"}"}', b'{"a": {"b": "\\\\"}}']
    assert split_objects(b" ".join(parts) + b'{"x": "}') == (parts, b'{"x": "}')
    assert split_objects(b"junk\n" + parts[0]) == ([b"junk", parts[0]], b"")
    assert split_objects(b"}}" + parts[0]) == ([b"}}", parts[0]], b"")
    assert split_objects(b"x" * LARGEST) == ([], b"x" * LARGEST)
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        split_objects(b"x" * (LARGEST + 1))


def test_an_object_without_an_end_is_refused_and_the_connection_closed():
    with emulator() as server, Caller(server.control_port) as caller:
        answer = caller.ask(b"{" * 4097)
        assert answer["status"] == "error" and "4096 bytes" in answer["message"]
        assert caller.lines.readline() == b""


def test_several_clients_and_one_that_never_reads():
    with emulator(status_s=0.001) as server, Caller(server.control_port) as silent:
        for _ in range(3):
            with Caller(server.control_port) as caller:
                assert caller.ask({"command": "set_gain", "gain": 1}) == {"status": "success"}
        wait_for(lambda: server.control.clients == 1)
        assert silent.status()["num_channels"] == CHANNELS


def test_a_late_server_answers_in_the_end():
    with emulator(control_delay_s=0.1) as server, Caller(server.control_port) as caller:
        assert caller.ask({"command": "set_gain", "gain": 1}) == {"status": "success"}


parts = st.one_of(
    st.sampled_from([b"{", b"}", b'"', b"\\", b"\n", b'{"command":"set_gain","gain":', b"1}", b"NaN", b"[" * 3000]),
    st.builds(
        lambda name, key, value: json.dumps({"command": name, key: value}).encode(),
        st.sampled_from(["set_frequency", "set_gain", "set_stability_delay", "", None]),
        st.sampled_from(["frequency", "gain", "delay_ms", ""]),
        st.one_of(st.floats(), st.integers(), st.text(max_size=5), st.none(), st.lists(st.booleans(), max_size=2)),
    ),
    st.binary(max_size=300),
)


def test_it_answers_whatever_it_is_told():
    with emulator() as server:

        @settings(max_examples=40)
        @given(st.lists(parts, max_size=6))
        def tell(parts):
            with Caller(server.control_port) as caller:
                try:
                    for part in parts:
                        caller.socket.sendall(part)
                except ConnectionError:
                    pass  # it had too long an object
            with Caller(server.control_port) as caller:
                assert caller.ask({"command": "set_gain", "gain": 7}) == {"status": "success"}
            condition = server.tuner.at(0.0)
            assert 24e6 <= condition.frequency_hz <= 1766e6 and condition.gain_db <= 50.0

        tell()
