"""Settings of version 2: what is sent, and what the server's own words confirm."""

import json
import socket

import pytest

import doamc.krakensdr.version2.controller as controller_module
from doamc.errors import ReceiverError
from doamc.krakensdr.controller import canonical
from doamc.krakensdr.version2 import SuiteController
from tests.doamc.krakensdr.version2.serving import Receiver, rogue, wait_for


def sent(name, value):
    return json.loads(SuiteController().message(*canonical(name, value)))


def test_settings_become_commands():
    assert sent("frequency_hz", "868.3e6") == {"command": "set_frequency", "frequency": 868_300_000}
    assert sent("gain_db", 20) == {"command": "set_gain", "gain": 19.7}  # the tuner's nearest step
    assert sent("gain_db", [30, 30, 30.0]) == {"command": "set_gain", "gain": 29.7}
    for automatic in (("gain_db", -1), ("gain_db", "auto"), ("agc", True)):
        assert sent(*automatic) == {"command": "set_gain", "gain": -1.0}
    assert sent("stability_delay_ms", 4000) == {"command": "set_stability_delay", "delay_ms": 4000}


@pytest.mark.parametrize(
    ("name", "value"),
    [("gain_db", [1.0, 2.0]), ("gain_db", 51), ("gain_db", []), ("squelch", 0.5), ("frequency_hz", 1.0),
     ("stability_delay_ms", -1.0)],
)  # fmt: skip
def test_what_version_2_cannot_set_is_refused(name, value):
    with pytest.raises(ReceiverError, match="expected"):
        sent(name, value)


def looked(controller, until):
    """Look until a condition holds; the errors told."""
    errors = []

    def look():
        try:
            controller.look()
        except ReceiverError as error:
            errors.append(str(error))
        return until(errors)

    wait_for(look)
    return errors


def test_what_the_server_tells_confirms_what_was_set():
    receiver = Receiver()
    with rogue(receiver.serve) as port:
        controller = SuiteController(port=port)
        for name, value in (("frequency_hz", 868.3e6), ("gain_db", 20.0)):
            controller.send(name, controller.message(*canonical(name, value)))
        assert looked(controller, lambda errors: not controller._wanted) == []
        assert controller.news["frequency_hz"] == 868.3e6 and controller.news["gain_db"] == 19.7
        controller.close()


def test_a_control_server_that_is_absent_is_news_and_a_later_one_is_found(monkeypatch):
    monkeypatch.setattr(controller_module, "_ABSENT_S", 0.0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = SuiteController(port=port)
    assert looked(controller, lambda errors: "refused" in controller.news.get("control", "")) == []
    with pytest.raises(ReceiverError, match="refused"):
        controller.send("gain_db", controller.message("gain_db", [9.0]))
    listener = socket.create_server(("127.0.0.1", port))
    controller.look()
    with listener, listener.accept()[0] as connection:
        connection.sendall(json.dumps(Receiver().status()).encode() + b"\n")
        assert looked(controller, lambda errors: controller.news.get("gain_db") == 20.7) == []
        assert "control" not in controller.news
    controller.close()


def test_another_sample_rate_than_expected_is_told_once():
    receiver = Receiver()
    with rogue(receiver.serve) as port:
        controller = SuiteController(port=port, sample_rate_hz=1e6)
        errors = looked(controller, lambda errors: controller._control.told > 5)
        assert errors == ["expected 1e+06 samples a second, found 2.4e+06; give the sample rate"]
        controller.close()


def test_what_was_confirmed_but_does_not_show_is_told_once():
    receiver = Receiver()
    receiver.deaf = True
    with rogue(receiver.serve) as port:
        controller = SuiteController(port=port)
        controller.send("gain_db", controller.message("gain_db", [9.0]))
        errors = looked(controller, lambda errors: errors)
        assert errors == ["expected gain_db 8.7 in what the server tells, as confirmed, found 20.7"]
        count = controller._control.told
        assert looked(controller, lambda errors: controller._control.told > count + 12) == []
        controller.close()
