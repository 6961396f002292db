"""``doamc monitor`` of a publisher of signals."""

import json
import threading

import pytest

from doamc.cli import main
from doamc.estimates import Publisher
from doamc.protocol import SIGNAL_TOPIC
from tests.doamc.bands.test_message import message


@pytest.fixture
def address():
    """Of a publisher that sends two signals again and again, the one of higher frequency first."""
    ended = threading.Event()
    first = message("music") | {"ended": False, "latency_ms": {"buffer": 1.0, "inference": 2.0, "total": 3.0}}
    second = first | {"id": 7, "frequency_hz": 299.9e6, "sources": [], "n_sources": 0}
    with Publisher("tcp://127.0.0.1:*", heartbeat_s=0.0) as publisher:

        def send():
            while not ended.wait(0.02):
                for m in (first, second):
                    publisher.send(SIGNAL_TOPIC, m)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        yield publisher.address
        ended.set()
        sender.join(30.0)


def test_the_signals_are_listed_by_frequency(address, capsys):
    assert main(["monitor", address, "--count", "4", "--timeout", "60"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    last = [line[0] for line in lines if line and line[0].startswith(("299", "300"))][-2:]
    assert last == ["299.9000", "300.1000"]


def test_as_json_a_line_each(address, capsys):
    assert main(["monitor", address, "--count", "2", "--json", "--timeout", "60"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(m["id"] for m in told) == [1, 7]
