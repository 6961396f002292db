"""Commands and conditions of version 2 over a real socket."""

import json

import pytest

from doamc.errors import ReceiverError
from doamc.krakensdr.version2 import Control
from doamc.krakensdr.version2.control import pack_frequency, pack_gain, pack_stability_delay
from tests.doamc.krakensdr.version2.serving import Receiver, rogue, wait_for


def test_commands_are_lines_of_json():
    assert json.loads(pack_frequency(433.92e6)) == {"command": "set_frequency", "frequency": 433_920_000}
    assert json.loads(pack_gain(19.7)) == {"command": "set_gain", "gain": 19.7}
    assert json.loads(pack_gain(-7)) == {"command": "set_gain", "gain": -1.0}
    assert json.loads(pack_stability_delay(3000.4)) == {"command": "set_stability_delay", "delay_ms": 3000}
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in (pack_gain(0), pack_frequency(24e6)))


@pytest.mark.parametrize(
    "make",
    [lambda: pack_frequency(23.9e6), lambda: pack_frequency(1767e6), lambda: pack_frequency(float("nan")),
     lambda: pack_gain(50.1), lambda: pack_gain(float("nan")), lambda: pack_stability_delay(-1),
     lambda: pack_stability_delay(1e9)],
)  # fmt: skip
def test_values_out_of_range_are_refused(make):
    with pytest.raises(ReceiverError, match="expected"):
        make()


def test_settings_reach_the_receiver_between_its_conditions():
    receiver = Receiver()
    with rogue(receiver.serve) as port, Control(port=port, timeout_s=20.0) as control:
        control.set_frequency(868.3e6)
        control.set_gain(-1)
        control.set_stability_delay(5000)
        assert (receiver.frequency_hz, receiver.gain_db, receiver.delay_ms) == (868.3e6, -1, 5000)
        assert control.sent == 3

        def shown():
            control.listen()
            return control.condition is not None and control.condition.gain_db == -1

        wait_for(shown)
        told = control.condition.as_dict()
        assert told == {
            "frequency_hz": 868.3e6, "gain_db": -1.0, "sample_rate_hz": 2.4e6, "n_channels": 3, "mode": "coherent",
            "cooldown_s": 1.5, "recovering": False, "coherence_events": 2, "comp_db": [0.0, 0.5, 1.0],
            "comp_deg": [0.0, 10.0, 20.0],
        }  # fmt: skip


def test_a_refusal_is_told_and_the_connection_stays():
    receiver = Receiver()
    receiver.refuse = "busy \x1b[31mred"
    with rogue(receiver.serve) as port, Control(port=port, timeout_s=20.0) as control:
        with pytest.raises(ReceiverError, match=r"refused set_gain: busy �\[31mred"):
            control.set_gain(10)
        receiver.refuse = None
        control.set_gain(10)
        assert len(receiver.commands) == 2 and not control.pending


def test_a_late_reply_is_waited_for():
    receiver = Receiver()
    receiver.mute = True
    with rogue(receiver.serve) as port, Control(port=port, timeout_s=0.05) as control:
        with pytest.raises(ReceiverError, match="has not replied to set_gain yet"):
            control.set_gain(10)
        assert control.pending


def test_an_absent_server_is_an_error():
    with pytest.raises(ReceiverError, match=r"127\.0\.0\.1:1, .*refused"):
        Control(port=1).listen()


def test_a_server_that_closes_is_connected_to_again():
    def answer(connection, ended):
        connection.sendall(json.dumps(Receiver().status()).encode() + b"\n")

    with rogue(answer) as port, Control(port=port, timeout_s=20.0) as control:

        def told():
            control.listen()
            return control.told >= 3

        wait_for(told)


@pytest.mark.parametrize(
    "nonsense", [b"hello\n", b"[1]\n", b"{" * 100_000, b"\xff\n", b"[" * 60_000 + b"\n", b"1" * 5000 + b"\n"]
)
def test_what_is_no_line_of_json_is_an_error_and_the_connection_is_left(nonsense):
    def answer(connection, ended):
        connection.sendall(nonsense)
        ended.wait(20.0)

    with rogue(answer) as port, Control(port=port, timeout_s=20.0) as control:

        def refused():
            try:
                control.listen()
            except ReceiverError as error:
                return "expected lines" in str(error) and len(str(error)) < 250
            return False

        wait_for(refused)
        assert control._socket is None and not control._come


@pytest.mark.parametrize("host", ["a" * 300, "..", "\0", "\ud800"])
def test_names_that_no_host_can_have_are_errors_of_the_receiver(host):
    with pytest.raises(ReceiverError, match="control server"):
        Control(host).listen()
