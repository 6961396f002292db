"""One receiver's thread: what waits for the server is bounded, and counted where it is not shown."""

import time

import numpy as np
import pytest

from doamc.dashboard.feed import MAX_WAITING, Feed
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.estimates import status_message

from .serving import estimate, toeplitz, until


@pytest.fixture
def feed(publisher):
    """A feed that has heard of `publisher`, and from which everything has been taken."""
    feed = Feed(Receiver("roof", publisher.address), SwitchedRecorder(None))
    feed.start()

    def heard():
        publisher.estimate(estimate(0))
        return feed.latest is not None

    until(heard, pause_s=0.05)
    publisher.estimate(estimate(0, time=1.0))
    until(lambda: feed.latest["time"] == 1.0)  # those before it have come, too
    feed.take()
    yield feed
    feed.close()
    feed.close()


def test_only_the_newest_wait_and_the_others_are_counted(feed, publisher):
    for k in range(1, MAX_WAITING + 61):
        publisher.estimate(estimate(k))
    until(lambda: feed.latest["seq"] == MAX_WAITING + 60)
    assert feed.health(time.time())["unseen"] == 60
    views, coupling = feed.take()
    assert [v["seq"] for v in views] == list(range(61, MAX_WAITING + 61)) and coupling is not None
    assert feed.take() == ([], None)


def test_the_first_coupling_of_its_size_is_kept(feed, publisher):
    for k, n in enumerate((4, 4, 5, 5)):
        publisher.estimate(estimate(k + 1, coupling=toeplitz(n) * (1 + 0.1 * k)))
    until(lambda: feed.latest["seq"] == 4)
    newest, first = feed.couplings
    assert [len(m["re"]) for m in (newest, first)] == [5, 5]
    assert [m["re"][0][0] for m in (newest, first)] == pytest.approx([1.3, 1.2])
    publisher.estimate(estimate(5, coupling=None))
    until(lambda: feed.latest["seq"] == 5)
    assert feed.couplings[0] is None and feed.latest["has_coupling"] is False


def test_heartbeats_tell_the_state(feed, publisher):
    publisher.status(status_message(time=1.0, state="error", seq=3, last_error="x" * 1000, link="waiting"))
    until(lambda: feed.health(0.0)["status"].get("link") == "waiting")
    status = feed.health(0.0)["status"]
    assert status["state"] == "error" and len(status["last_error"]) == 300
    assert abs(status["received"] - time.time()) < 60


def test_what_is_not_known_is_none(publisher):
    feed = Feed(Receiver("roof", publisher.address), SwitchedRecorder(None))
    health = feed.health(time.time())
    assert (health["age_s"], health["received"], health["rate_hz"], health["status"]) == (None, 0, 0.0, {})
    assert feed.take() == ([], None) and feed.couplings == (None, None)
    feed.close()


def test_a_message_that_breaks_the_reading_itself_is_counted(feed, publisher):
    """A matrix of unequal rows passes the schema; the thread must outlive it."""
    message = estimate(1) | {"coupling": {"re": [[1.0, 0.0], [0.0]], "im": np.eye(2).tolist()}}
    publisher.estimate(message)
    publisher.estimate(estimate(2))
    until(lambda: feed.latest["seq"] == 2)
    health = feed.health(time.time())
    assert health["malformed"] == 1 and "2 rows of 2 numbers" in health["fault"]
