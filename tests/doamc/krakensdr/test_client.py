"""Which version answers is found out, on ports of their own and on the same one, and again when it changes."""

import socket

import pytest

import doamc.krakensdr.client as client_module
from doamc.errors import ReceiverError
from doamc.krakensdr import Client, controllers, sessions
from doamc.krakensdr.session import ABSENT, WAITING
from doamc.krakensdr.version1 import Heimdall, HeimdallController
from doamc.krakensdr.version2 import Suite, SuiteController
from tests.doamc.krakensdr.version1.serving import emulator, rogue, wait_for
from tests.doamc.krakensdr.version2.serving import CHANNELS, packet, sending


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def both(port2, port1, on_state=None):
    return Client("127.0.0.1", [Suite(port2, CHANNELS, 20.0, 0.0), Heimdall(port1, CHANNELS, 20.0)], on_state)


def first(client):
    frame = client.get(60.0)
    assert frame is not None, (client.state, client.last_error)
    client.release(frame)
    return frame


@pytest.mark.parametrize("shared", [False, True])
def test_version_1_is_found(shared):
    with emulator() as server, both(server.port if shared else free_port(), server.port) as client:
        assert first(client).number == 0 and client.version == 1
        assert client.session.counters.connects == 1


@pytest.mark.parametrize("shared", [False, True])
def test_version_2_is_found_and_is_told_nothing(shared):
    heard = []

    def then(connection, ended):
        connection.settimeout(60.0)
        heard.append(connection.recv(64))

    with sending(packet(1), packet(2), then=then) as port, both(port, port if shared else free_port()) as client:
        assert first(client).number is None and client.version == 2
        client.stop()
        wait_for(lambda: heard)
    assert heard == [b""]


def test_without_any_server_both_ports_are_named_and_the_version_is_not_known():
    client = both(free_port(), free_port())
    with client:
        wait_for(lambda: all(s.counters.failures >= 2 for s in client._order))
        assert client.state == ABSENT and client.version is None
        assert client.last_error.count("refused") == 2 and client.last_error.count("127.0.0.1:") == 2


def test_something_else_on_the_port_of_version_2_hides_no_version_1():
    with rogue(lambda c, e: e.wait(60.0)) as other, emulator() as server:
        client = Client("127.0.0.1", [Suite(other, CHANNELS, 0.2), Heimdall(server.port, CHANNELS)])
        with client:
            assert first(client).number == 0 and client.version == 1


def test_a_receiver_that_changes_its_version_is_followed():
    with emulator() as server, both(port := free_port(), server.port) as client:
        first(client)
        server.stop()
        wait_for(lambda: client.state == ABSENT)
        while (frame := client.get(0)) is not None:
            client.release(frame)
        listener = socket.create_server(("127.0.0.1", port))
        connection, _ = listener.accept()
        with listener, connection:
            connection.sendall(packet(1) + packet(2))
            assert first(client).number is None and client.version == 2


def test_a_server_that_is_silent_on_a_shared_port_is_asked(monkeypatch):
    monkeypatch.setattr(client_module, "_LISTEN_S", 0.05)
    told, heard = [], []

    def answer(connection, ended):
        heard.append(connection.recv(64))
        ended.wait(60.0)

    with rogue(answer) as port, both(port, port, told.append) as client:
        wait_for(lambda: heard)
        assert heard == [b"streaming"] and told == [WAITING] and client.version is None


def test_sessions_and_controllers_of_every_version():
    assert [s.version for s in sessions()] == [2, 1] and [s.port for s in sessions()] == [8091, 5000]
    assert [s.port for s in sessions("auto", 7000)] == [7000, 7000]
    assert [type(s) for s in sessions(1)] == [Heimdall] and [type(s) for s in sessions("2")] == [Suite]
    made = sessions()
    assert [type(c) for c in controllers(made, 5, "h")] == [SuiteController, HeimdallController]
    assert [c._control._address for c in controllers(made, 5, "h")] == [("h", 8092), ("h", 5001)]
    assert [c._control._address for c in controllers(made, 5, "h", 7)] == [("h", 7), ("h", 7)]
    assert controllers(made, 5, "h", -1) == []


@pytest.mark.parametrize("wrong", [lambda: sessions(3), lambda: sessions("two"), lambda: controllers([], 5, "h", 70000),
                                   lambda: Client("h", []), lambda: sessions(port=-1)])  # fmt: skip
def test_what_is_no_version_or_port_is_refused(wrong):
    with pytest.raises(ReceiverError, match="expected"):
        wrong()
