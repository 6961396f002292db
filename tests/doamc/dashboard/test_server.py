"""The server without a browser: who is let in, what goes out, and what a stalled or a rude peer can do."""

import asyncio
import csv
import io
import json
import socket
import time

import aiohttp
import pytest
import zmq

from doamc.dashboard import bearings_live
from doamc.dashboard import server as server_module
from doamc.dashboard.server import Dashboard
from doamc.errors import DashboardError, PublishError
from doamc.estimates import Publisher, validate
from doamc.web import server as web_server
from tests.doamc.web.serving import get

from .serving import FREE, Served, estimate, until


async def listen(url, count, headers=None, say=None):
    """The first `count` messages of the WebSocket."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url + "live", headers=headers) as live:
        if say is not None:
            await live.send_str(say)
        return [json.loads((await live.receive(timeout=60)).data) for _ in range(count)]


def test_hello_and_frames(served, publisher):
    seq = served.connected(publisher)
    until(lambda: served.feed().latest["seq"] == seq - 1)
    until(lambda: not served.feed()._waiting)  # the frame of these has gone to nobody
    before = served.feed().health(time.time())

    async def scenario():
        async with aiohttp.ClientSession() as session, session.ws_connect(served.url + "live") as live:
            hello = frame = json.loads((await live.receive(timeout=60)).data)
            while not len(served.dashboard.bearings.browsers):
                await asyncio.sleep(0.01)
            publisher.estimate(estimate(100, azimuth_deg=[12.5], std_deg=[1.0], power_db=[-3.0]))
            while frame["type"] != "frame" or not frame["receivers"][0]["views"]:  # some tell of health alone
                frame = json.loads((await live.receive(timeout=60)).data)
            return hello, frame

    hello, frame = served.do(scenario())
    assert hello["type"] == "hello" and hello["receivers"][0]["views"][-1]["seq"] == seq - 1
    assert hello["receivers"][0]["coupling"]["re"][0][0] == pytest.approx(1.0)
    (view,) = frame["receivers"][0]["views"]
    assert view["seq"] == 100 and view["sources"][0]["azimuth_deg"] == 12.5
    health = frame["receivers"][0]["health"]
    assert health["lost"] - before["lost"] == 100 - seq and health["received"] == before["received"] + 1
    assert health["malformed"] == 0


def test_the_page_and_its_files_come_with_headers_of_safety(served):
    status, headers, body = get(served.url)
    assert status == 200 and b"<h1>gr-doamc</h1>" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"] and headers["X-Content-Type-Options"] == "nosniff"
    for name, kind in (("style.css", "text/css"), ("js/main.js", "javascript"), ("vendor/uplot/LICENSE", "")):
        status, headers, _ = get(served.url + "static/" + name)
        assert status == 200 and kind in (headers["Content-Type"] or "")
    for name in ("static/../server.py", "static/%2e%2e/server.py", "static/", "nothing"):
        assert get(served.url + name)[0] in (403, 404), name


def test_another_interface_needs_a_token():
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(DashboardError, match="expected --token"):
            Dashboard([], host=host)
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        Dashboard([], host=host)
    for token in ("", "a\nb" * 9, "\u00e9" * 20, "x" * 15, "x" * 201):
        with pytest.raises(DashboardError, match="printable"):
            Dashboard([], host="0.0.0.0", token=token)


def test_a_token_is_asked_for(publisher):
    with Served([publisher.address], host="0.0.0.0", token="tell nobody of it") as served:
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        for path in ("", "live", "export/last-minute.json", "static/style.css"):
            assert get(url + path)[0] == 401, path
            assert get(url + path + "?token=wrong")[0] == 403, path
            assert get(url + path, Authorization="Bearer wrong")[0] == 403, path
        assert get(url + "export/last-minute.json", Authorization="Bearer tell nobody of it")[0] == 200
        status, headers, _ = get(url + "?token=tell%20nobody%20of%20it")
        assert status == 303 and headers["Location"] == "/"
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert get(url, Cookie=cookie.partition(";")[0])[0] == 200
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            served.do(listen(url, 1))
        assert refused.value.status == 401
        (hello,) = served.do(listen(url, 1, {"Cookie": cookie.partition(";")[0]}))
        assert hello["type"] == "hello"


def test_pages_of_other_sites_are_refused(served):
    """A foreign Origin on the WebSocket, and a foreign name for this computer (DNS rebinding)."""
    port = served.dashboard.port
    for origin in ("http://example.org", "null", "http://127.0.0.1:1", f"http://example.org:{port}"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            served.do(listen(served.url, 1, {"Origin": origin}))
        assert refused.value.status == 403
    (hello,) = served.do(listen(served.url, 1, {"Origin": f"http://127.0.0.1:{port}"}))
    assert hello["type"] == "hello"
    assert get(served.url, Host=f"example.org:{port}")[0] == 403
    assert get(served.url, Host=f"localhost:{port}")[0] == 200


def test_a_port_in_use_is_told(served):
    with pytest.raises(DashboardError, match="take another --port"), Served([], [], port=served.dashboard.port):
        pass


def test_a_malformed_address_is_told():
    with pytest.raises(PublishError, match="expected an address"), Served(["nowhere"]):
        pass


def test_malformed_messages_are_counted_and_the_rest_comes_through(served, publisher):
    seq = served.connected(publisher)
    topic = b"doamc.estimate"
    rude = [
        [topic, b"\xff\xfe"], [topic, b"{"], [topic, b"[]"], [topic], [topic, b"{}", b"{}"],
        [topic, b'{"schema":"doamc.estimate/1","seq":"one"}'], [topic, b'{"schema":"doamc.estimate/1","seq":1}'],
        [topic, b'{"schema":"doamc.estimate/1","seq":NaN}'], [topic, b'{"schema":"x","seq":1}'],
        [b"doamc.status", b'{"schema":"doamc.status/1","counters":3}'], [topic, b"[" * 100_000],
        [topic, json.dumps(estimate(1, noise_power=10**400)).encode()],
        [topic, json.dumps(estimate(1) | {"coupling": {"re": [[10**400]], "im": [[0]]}}).encode()],
        *[[topic, json.dumps(estimate(1) | {"seq": 10**4298 + k}).encode()] for k in range(20)],  # their sum has 4300
    ]  # fmt: skip
    with publisher._lock:
        for frames in rude:
            publisher._socket.send_multipart(frames)
    publisher.estimate(estimate(seq))
    until(lambda: (served.feed().latest or {}).get("seq") == seq)
    health = served.feed().health(time.time())
    assert health["malformed"] == len(rude) and health["fault"]


def test_an_infinity_that_json_can_write_reaches_nobody(served, publisher):
    """1e999 is JSON, and no number: neither the page nor the server may stumble over it."""
    seq = served.connected(publisher)
    text = json.dumps(estimate(seq) | {"noise_power": 12345.5}).replace("12345.5", "1e999")
    with publisher._lock:
        publisher._socket.send_multipart([b"doamc.estimate", text.encode()])
    publisher.estimate(estimate(seq + 1))
    until(lambda: (served.feed().latest or {}).get("seq") == seq + 1)
    (hello,) = served.do(listen(served.url, 1))
    assert hello["receivers"][0]["views"][-1]["seq"] == seq + 1


def test_last_minute_as_json_and_csv(served, publisher):
    seq = served.connected(publisher)
    raised = {"elevation_deg": [30.5, 40.0], "elevation_interval_deg": [[29.0, 32.0], [39.0, 41.0]]}
    sent = estimate(seq, interval_deg=[[-24.5, -22.0], [38.0, 45.0]], array="=cmd()", heading_deg=90.0, **raised)
    publisher.estimate(sent)
    publisher.estimate(estimate(seq + 1, azimuth_deg=[], std_deg=[], power_db=[]))
    until(lambda: (served.feed().latest or {}).get("seq") == seq + 1)
    status, headers, body = get(served.url + "export/last-minute.json")
    assert status == 200 and headers["Content-Disposition"].startswith('attachment; filename="doamc-')
    rows = json.loads(body)
    seqs = [r["message"]["seq"] for r in rows]
    assert seqs == list(range(seqs[0], seq + 2)) and seqs[0] < seq and rows[-2]["message"] == sent
    for row in rows:
        validate(row["message"])
        assert row["receiver"] == "receiver 0" and abs(row["received"] - time.time()) < 30
    status, headers, body = get(served.url + "export/last-minute.csv")
    assert headers["Content-Type"].startswith("text/csv")
    table = [r for r in csv.DictReader(io.StringIO(body.decode())) if int(r["seq"]) >= seq]
    assert [(r["source"], r["azimuth_deg"], r["low_deg"], r["power_db"]) for r in table] == [
        ("1", "-23.45", "-24.5", "0.0"), ("2", "41.5", "38.0", "-6.0"), ("", "", "", ""),
    ]  # fmt: skip
    assert table[0]["array"] == "'=cmd()"  # a spreadsheet would run it
    assert (table[0]["inference_ms"], table[0]["total_ms"]) == ("12.25", "14.0")
    told = [[r[k] for k in ("heading_deg", "bearing_deg", "bearing_low_deg", "bearing_high_deg")] for r in table]
    assert told == [["90.0", "113.45", "112.0", "114.5"], ["90.0", "48.5", "45.0", "52.0"], ["", "", "", ""]]
    above = [[r[f"elevation_{k}deg"] for k in ("", "std_", "low_", "high_")] for r in table]
    assert above == [["30.5", "", "29.0", "32.0"], ["40.0", "", "39.0", "41.0"], ["", "", "", ""]]


def test_recording_by_command(served, publisher, tmp_path):
    seq = served.connected(publisher)
    for rude in ("[", "[]", '{"recording": "delete"}', '{"recording": ["start"]}', '{"record": 1}'):
        served.do(listen(served.url, 1, say=rude))
    assert not served.dashboard.recording.state()["on"] and list(tmp_path.iterdir()) == []
    served.do(listen(served.url, 2, say='{"recording": "start"}'))
    publisher.estimate(estimate(seq))
    until(lambda: served.dashboard.recording.state()["files"])
    served.do(listen(served.url, 2, say='{"recording": "stop"}'))
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text())["seq"] == seq


def stall(url, receive_buffer=4096):
    """A WebSocket of a browser that never reads."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    host, port = url.removeprefix("http://").strip("/").split(":")
    peer.connect((host, int(port)))
    peer.sendall(
        f"GET /live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return peer


def test_a_stalled_browser_does_not_hold_up_the_others(served, publisher):
    """The stalled one's queue is full and overflows; another gets every estimate, before the next is sent."""
    seq = served.connected(publisher)
    with stall(served.url):
        until(lambda: len(served.dashboard.bearings.browsers) == 1)

        async def scenario():
            seen = []
            async with aiohttp.ClientSession() as session, session.ws_connect(served.url + "live") as live:
                await live.receive(timeout=60)
                while served.dashboard.bearings.browsers.counts()["dropped"] < 5:
                    nonlocal seq
                    publisher.estimate(estimate(seq, padding=None, coupling=big))
                    seq += 1
                    while True:
                        message = json.loads((await live.receive(timeout=60)).data)
                        views = message["receivers"][0]["views"] if message["type"] == "frame" else []
                        seen += [v["seq"] for v in views]
                        if seen and seen[-1] == seq - 1:
                            break
                return seen

        import numpy as np

        big = np.eye(40) * (1 + 0.123456789j) + 0.123456789  # some 50 kB: buffers are soon full
        seen = served.do(scenario(), timeout_s=200)
        assert seen == list(range(seen[0], seq))
        assert served.feed().health(time.time())["lost"] == 0


def test_a_stalled_browser_is_let_go(served, publisher, monkeypatch):
    monkeypatch.setattr(web_server, "HEARTBEAT_S", 0.2)
    with stall(served.url):
        until(lambda: len(served.dashboard.bearings.browsers) == 1)
        until(lambda: len(served.dashboard.bearings.browsers) == 0)


def test_there_is_a_greatest_number_of_browsers(served, monkeypatch):
    monkeypatch.setattr(server_module, "MAX_BROWSERS", 1)
    with stall(served.url):
        until(lambda: len(served.dashboard.bearings.browsers) == 1)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            served.do(listen(served.url, 1))
        assert refused.value.status == 503


def test_a_flood_leaves_the_server_answering_and_its_memory_bounded(served, publisher):
    """Four thousand estimates as fast as they can be sent: the page still loads."""
    served.connected(publisher)
    for seq in range(1000, 5000):
        publisher.estimate(estimate(seq))
        assert seq % 200 or get(served.url)[0] == 200
    until(lambda: served.feed().latest["seq"] > 1000)
    assert len(served.feed().history.last(time.time())) <= 3000
    health = served.feed().health(time.time())
    assert health["received"] + health["lost"] > 0 and health["malformed"] == 0


def test_a_frame_that_cannot_be_made_is_left_out(served, publisher, monkeypatch, caplog):
    """Whatever one receiver brings about, the page of all goes on."""
    seq = served.connected(publisher)
    failures = []

    def fail(*arguments):
        failures.append(arguments)
        raise ValueError("a number too large")

    with monkeypatch.context() as broken:
        broken.setattr(bearings_live, "locate", fail)

        async def scenario():
            async with aiohttp.ClientSession() as session, session.ws_connect(served.url + "live") as live:
                await live.receive(timeout=10)
                while not failures:
                    publisher.estimate(estimate(seq))
                    await asyncio.sleep(0.05)
                broken.undo()
                publisher.estimate(estimate(seq + 1))
                return json.loads((await live.receive(timeout=10)).data)

        assert served.do(scenario())["type"] == "frame"
    assert "a frame is left out: ValueError: a number too large" in caplog.text


def test_a_publisher_that_starts_again_is_read_on():
    with Publisher(FREE) as first:
        address = first.address
        served = Served([address])
        with served:
            seq = served.connected(first)
            first.estimate(estimate(1000))
            until(lambda: served.feed().latest["seq"] == 1000)
            first.close()
            with Publisher(address) as second:
                served.connected(second)
            health = served.feed().health(time.time())
            assert health["restarts"] == 1 and health["received"] > seq


def test_the_message_that_carries_no_topic_of_ours_is_not_read(served, publisher):
    seq = served.connected(publisher)
    publisher.send("doamc.truth", {"schema": "doamc.truth/1"})
    publisher.estimate(estimate(seq))
    until(lambda: (served.feed().latest or {}).get("seq") == seq)
    assert served.feed().health(time.time())["malformed"] == 0
    assert zmq.zmq_version_info() >= (4, 0)
