"""Half-sent requests, crowds and guesses against a real server."""

import socket
import time

import pytest

from doamc.web import connections, guesses
from doamc.web.connections import MOST_CONNECTIONS, capacity
from doamc.web.guesses import FREE
from tests.doamc.dashboard.serving import until

from .serving import Page, get


@pytest.fixture
def served():
    with Page() as served:
        yield served


HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


class Crowd:
    """Connections that say half a sentence."""

    def __init__(self, port, count, words=HALF):
        self.members = []
        for _ in range(count):
            member = socket.create_connection(("127.0.0.1", port), timeout=10)
            member.sendall(words)
            self.members.append(member)

    def left(self):
        """How many are still let wait."""
        return sum(not gone(member) for member in self.members)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for member in self.members:
            member.close()


def gone(member):
    member.setblocking(False)
    try:
        return member.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_half_sent_requests_are_closed_in_time(served, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    with Crowd(served.port, 5) as crowd, Crowd(served.port, 5, b"") as mute:
        until(lambda: crowd.left() + mute.left() == 0)
    assert get(served.url)[0] == 200


def test_one_that_has_spoken_may_stay(served, monkeypatch):
    """A whole request in three parts, cut within the end of its head; then the connection waits for the next."""
    monkeypatch.setattr(connections, "HEAD_S", 3.0)
    with Crowd(served.port, 1, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r") as crowd:
        (one,) = crowd.members
        for part in (b"\n\r", b"\n"):
            time.sleep(0.05)
            one.sendall(part)
        assert one.recv(15) == b"HTTP/1.1 200 OK"
        with Crowd(served.port, 1) as later:
            until(lambda: later.left() == 0, timeout_s=30)
        assert crowd.left() == 1


def test_a_crowd_that_says_nothing_locks_nobody_out(monkeypatch):
    """Three times as many half-sent requests as are let in at once: the page is served all the while."""
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 40)
    monkeypatch.setattr(connections, "HEAD_S", 300.0)
    with Page() as served, Crowd(served.port, 120) as crowd:
        for _ in range(5):
            assert get(served.url)[0] == 200
        until(lambda: crowd.left() <= 40)
        assert crowd.left() >= 30  # nobody was turned away without need
        assert not gone(crowd.members[-1]) and gone(crowd.members[0])  # those who have waited longest went


def test_when_all_have_spoken_the_newcomer_is_turned_away(monkeypatch):
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    whole = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with Page() as served, Crowd(served.port, 3, whole) as crowd:
        for member in crowd.members:
            assert member.recv(15) == b"HTTP/1.1 200 OK"
        with Crowd(served.port, 1) as late:
            until(lambda: late.left() == 0)
        assert crowd.left() == 3
        crowd.members.pop().close()
        until(lambda: get_or_none(served.url) == 200)


def get_or_none(url):
    try:
        return get(url)[0]
    except OSError:
        return None


def test_fewer_connections_than_descriptors():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        assert capacity() == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert capacity() == MOST_CONNECTIONS or before[0] < 512


def test_guesses_are_slowed_and_who_is_refused_is_disconnected(monkeypatch):
    monkeypatch.setattr(guesses, "EACH_S", 300.0)  # none is free again while this computer is busy
    with Page(host="0.0.0.0", token="the right token, long") as served:
        url = served.url
        answers = [get(url, Authorization=f"Bearer guess {k}")[0] for k in range(FREE + 5)]
        assert answers == [403] * FREE + [429] * 5
        status, headers, _ = get(url, Authorization="Bearer the right token, long")
        assert status == 429 and 1 <= int(headers["Retry-After"]) <= 300 and headers["Connection"] == "close"
        assert get(url)[0] == 401


LIVE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
)


@pytest.mark.parametrize("words", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\nno header\r\n\r\n", b"\xff\xfe\x00nonsense\r\n\r\n",
    LIVE + b"\xe9\xe9\r\n\r\n",
])  # fmt: skip
def test_a_request_that_is_none_is_refused_without_a_traceback(served, caplog, words):
    """Port scanners do not fill the terminal."""
    with socket.create_connection(("127.0.0.1", served.port), 60) as client:
        client.sendall(words)
        assert b" 400 " in client.recv(1 << 16)[:20]
    assert [record for record in caplog.records if record.exc_info] == []


def test_browsers_that_leave_while_they_are_greeted_leave_no_traceback(served, caplog):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.port), 60) as client:
            client.sendall(LIVE + b"AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            while client.recv(1 << 16):
                pass
    assert get(served.url)[0] == 200
    assert [record for record in caplog.records if record.exc_info] == []
