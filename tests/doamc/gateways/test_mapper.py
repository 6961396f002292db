"""The WebSocket for local map clients: records as the KrakenSDR sends them, paced, and no client held up by another."""

import json

import pytest

from doamc.errors import PublishError
from doamc.gateways import broadcast
from doamc.gateways.mapper import Mapper
from doamc.web.access import Access
from tests.doamc.dashboard.serving import until
from tests.doamc.estimates.bearings import STATION, message
from tests.doamc.estimates.kraken_readers import kraken_pro

from .websocket import Refused, WebSocket

KEYS = (
    "station_id tStamp gps_timestamp latitude longitude gpsBearing speed radioBearing conf power freq antType latency "
    "processing_time doaArray adc_overdrive num_corr_sources snr_db"
).split()


def mapper(host="127.0.0.1", token=None, **options):
    return Mapper(0, STATION, Access(host, token, "map", PublishError, **options))


@pytest.fixture
def served():
    output = mapper()
    yield output
    output.close()


def port(output):
    return int(output.url.rstrip("/").rpartition(":")[2])


def listeners(output, count):
    until(lambda: output.broadcast.clients == count)


def test_every_source_is_a_record_of_its_own_for_every_client(served):
    with WebSocket(port(served)) as one, WebSocket(port(served), "/any/path?x=1") as other:
        listeners(served, 2)
        served.write(message([10.0, 200.0], [1.0, 1.0], [-6.0, 0.0]))
        for client in (one, other):
            records = [client.text() for _ in range(2)]
            assert [list(json.loads(r)) for r in records] == [KEYS] * 2
            seen = [kraken_pro(r.encode(), 2) for r in records]
            assert [(s.bearing, s.power) for s in seen] == [(250.0, 0.0), (80.0, -6.0)]
            assert {s.time_ms for s in seen} == {1790000000123} and {s.frequency_hz for s in seen} == {433.92e6}
        until(lambda: served.broadcast.sent == 4)


def test_of_one_frequency_the_newest_estimate_is_sent_and_of_others_theirs(monkeypatch):
    """All of them come within one period."""
    monkeypatch.setattr(broadcast, "PERIOD_S", 3600.0)
    output = mapper()
    with WebSocket(port(output)) as client:
        listeners(output, 1)
        for azimuth in range(50):
            output.write(message([float(azimuth)], frequency_hz=430e6))
        output.write(message([200.0], frequency_hz=450e6))
        output.write(message([], frequency_hz=450e6))  # no emitter: nothing to say, and nothing taken back
        output.close()
        texts = [client.text(), client.text(), client.text()]
    assert texts[2] is None  # the server has ended
    seen = [kraken_pro(text.encode(), 2) for text in texts[:2]]
    assert [(s.frequency_hz, s.bearing) for s in seen] == [(430e6, 41.0), (450e6, 250.0)]


def test_estimates_without_emitters_send_nothing(served):
    with WebSocket(port(served)) as client:
        listeners(served, 1)
        served.write(message([]))
        served.write(message([10.0], seq=1))
        assert kraken_pro(client.text().encode(), 2).bearing == 80.0


def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr(broadcast, "PERIOD_S", 0.001)
    monkeypatch.setattr(broadcast, "QUEUE", 4)
    output = mapper()
    try:
        with WebSocket(port(output), buffer=4096) as slow, WebSocket(port(output)) as quick:
            listeners(output, 2)
            sent = 0
            while not output.broadcast.dropped:  # until the system's own buffers are full
                for frequency in range(4):
                    output.write(message([10.0], seq=sent, frequency_hz=1e8 + frequency))
                sent += 1
                assert quick.text() is not None
            listeners(output, 1)
            while slow.text() is not None:
                pass  # what was on its way, then the end
            output.write(message([350.0], frequency_hz=2e8))
            while kraken_pro(quick.text().encode(), 2).bearing != 100.0:
                pass
            assert output.broadcast.dropped == 1
    finally:
        output.close()


def test_what_clients_say_is_passed_over_and_what_is_too_long_ends_them(served):
    with WebSocket(port(served)) as client:
        listeners(served, 1)
        client.socket.sendall(b"\x81\x83\0\0\0\0abc")
        served.write(message([10.0]))
        assert client.text() is not None
        client.socket.sendall(b"\x81\xfe\xff\xff\0\0\0\0" + bytes(65535))
        listeners(served, 0)


def test_there_is_a_greatest_number_of_clients(served, monkeypatch):
    monkeypatch.setattr(broadcast, "MAX_CLIENTS", 1)
    with WebSocket(port(served)):
        listeners(served, 1)
        with pytest.raises(Refused, match="503"):
            WebSocket(port(served))


def test_pages_of_other_sites_are_refused_unless_they_are_named(served):
    own = f"http://127.0.0.1:{port(served)}"
    for origin in ("http://example.org", "null", "http://localhost:3000"):
        with pytest.raises(Refused, match="403"):
            WebSocket(port(served), Origin=origin)
    with WebSocket(port(served), Origin=own):
        pass
    with pytest.raises(Refused, match="403"):
        WebSocket(port(served), Host=f"example.org:{port(served)}")
    output = mapper(origins=("http://localhost:3000",))
    try:
        with WebSocket(port(output), Origin="http://localhost:3000"), pytest.raises(Refused, match="403"):
            WebSocket(port(output), Origin="http://localhost:3001")
    finally:
        output.close()


def test_beyond_this_computer_a_token_or_the_word_is_asked_for():
    with pytest.raises(PublishError, match=r"expected --token or --insecure with --host 0\.0\.0\.0"):
        mapper(host="0.0.0.0", insecure=False)
    token = "tell nobody of it"
    output = mapper(host="0.0.0.0", token=token, insecure=False)
    try:
        for path, status in (("/", "401"), ("/?token=wrong", "403")):
            with pytest.raises(Refused, match=status):
                WebSocket(port(output), path)
        with WebSocket(port(output), "/?token=tell%20nobody%20of%20it"):
            listeners(output, 1)
        with WebSocket(port(output), Authorization=f"Bearer {token}"):
            pass
    finally:
        output.close()
    output = mapper(host="0.0.0.0", insecure=True)
    try:
        with WebSocket(port(output)), WebSocket(port(output), Host="192.0.2.7:8021"):
            listeners(output, 2)
        with pytest.raises(Refused, match="403"):
            WebSocket(port(output), Host="example.org:8021")
    finally:
        output.close()
