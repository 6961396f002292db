"""Posts: every one counted, and nothing held up by a server."""

import socket
import time

import pytest

from doamc.errors import PublishError
from doamc.estimates.poster import Poster


def test_refused_posts_are_counted(web):
    web.answer = 500
    with Poster(web.url) as poster:
        poster.post({"a": 1})
    assert (poster.sent, poster.failed) == (0, 1) and "500" in poster.last_error


def test_a_server_that_never_answers_holds_up_nobody():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        poster = Poster(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=60.0)
        begin = time.monotonic()
        for k in range(100):
            poster.post({"k": k})
        poster.close(timeout_s=0.5)
        assert time.monotonic() - begin < 30.0  # while the first of them still waits for its answer
        assert poster.dropped >= 90 and poster.sent == 0
        assert poster.failed + poster.dropped == poster.posted == 100  # the one on its way is given up, and counted


@pytest.mark.parametrize("url", ["", "here", "ftp://a/b", "file:///etc/hosts", "http://"])
def test_other_urls_are_refused(url):
    with pytest.raises(PublishError, match="http or https"):
        Poster(url)
