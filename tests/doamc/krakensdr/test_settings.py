"""Settings are sent until they are confirmed, and gains are looked for in the frames that follow."""

from contextlib import contextmanager

import numpy as np
import pytest

import doamc.krakensdr.version1.controller as controller_module
from doamc.errors import ReceiverError
from doamc.krakensdr import Settings
from doamc.krakensdr.version1 import HeimdallController
from doamc.krakensdr.version1.emulated_control import ControlServer
from tests.doamc.krakensdr.version1.serving import CHANNELS, client_of, connected, emulator, take, wait_for


@contextmanager
def setting(server, client, **options):
    controller = HeimdallController(CHANNELS, client.session, port=server.control_port)
    settings = Settings(client, [controller], **options)
    settings.start()
    try:
        yield settings
    finally:
        settings.stop()


def test_what_is_ordered_is_set_once_the_server_is_there_and_shows_in_the_frames():
    server = emulator()
    with connected(server) as client, setting(server, client) as settings:
        settings.order("gain_db", 20.0)
        settings.order("gain_db", np.array([1.0, 20.0, 50.0]))  # the later order counts
        settings.order("frequency_hz", 868.3e6)
        with server:
            take(client, until=lambda: client.session.header and client.session.header.rf_center_freq == 868_300_000)
            take(client, 40)
            assert client.session.header.gains_db == (0.9, 19.7, 49.6)
        assert settings.error is None and server.control.commands[:3] == ["INIT", "GAIN", "FREQ"]


def test_gains_that_were_confirmed_but_not_taken_are_a_failure_told_once(monkeypatch):
    do = ControlServer._do
    monkeypatch.setattr(ControlServer, "_do", lambda s, c, p: c == b"GAIN" or do(s, c, p))
    with emulator() as server, connected(server) as client, setting(server, client) as settings:
        settings.order("gain_db", 20.7)
        take(client, until=lambda: settings.failures, limit_s=60.0)
        assert "expected gains of [20.7, 20.7, 20.7] dB" in settings.error and "found [0.0, 0.0, 0.0]" in settings.error
        take(client, 40)
        assert settings.failures == 1 and server.control.commands == ["INIT", "GAIN"]
        settings.order("squelch", 0.5)
        wait_for(lambda: server.control.squelch == 0.5 and settings.error is None)


def test_a_slow_controller_is_no_failure_and_sees_every_command_once(monkeypatch):
    monkeypatch.setattr(controller_module, "_REPLY_S", 0.2)
    with emulator(control_delay_s=0.6) as server, setting(server, client_of(server.port)) as settings:
        settings.order("agc", True)
        wait_for(lambda: settings.error and "waiting for it" in settings.error)
        wait_for(lambda: server.control.agc and settings.error is None)
        assert settings.failures == 0 and server.control.commands == ["INIT", "AGC"]


def test_failures_are_counted_and_the_thread_goes_on():
    server = emulator()
    server.stop()
    ticks = []

    def tick():
        ticks.append(settings.error)
        raise KeyError("of the caller")

    client = client_of(server.port)
    settings = Settings(client, [HeimdallController(CHANNELS, client.session, port=server.control_port)], tick)
    settings.order("agc", True)
    settings.start()
    wait_for(lambda: len(ticks) >= 3)
    settings.stop()
    settings.stop()  # again is harmless
    assert settings.failures >= 3 and any("refused" in t for t in ticks if t) and "of the caller" in settings.error


@pytest.mark.parametrize(
    ("name", "value"),
    [("frequency_hz", -5.0), ("frequency_hz", 1e300), ("frequency_hz", "fm"), ("frequency_hz", None),
     ("gain_db", [1.0, 2.0]), ("gain_db", [1.0, -2.0, 3.0]), ("gain_db", 50.5), ("gain_db", "loud"),
     ("gain_db", {"a": 1}),
     ("gain_db", float("nan")), ("gain_db", [[1.0] * 3] * 3), ("squelch", float("inf")), ("squelch", 1e300),
     ("squelch", [0.5]), ("volume", 11), (7, 7)],
)  # fmt: skip
def test_what_could_never_be_set_is_refused_at_once(name, value):
    with pytest.raises(ReceiverError, match="expected"):
        client = client_of(1)
        Settings(client, [HeimdallController(CHANNELS, client.session)]).order(name, value)


def test_agc_that_is_not_wanted_orders_nothing():
    with emulator() as server, setting(server, client_of(server.port)) as settings:
        settings.order("agc", False)
        settings.order("squelch", 0.5)
        wait_for(lambda: server.control.squelch == 0.5)
        assert server.control.commands == ["INIT", "STHU"]
