"""Whatever is sent: the border refuses it, or every reader behind the border can use it; tests/fuzz sends far more."""

import json
import math
import random
import threading

import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.dashboard.bearings_live import BearingsLive
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.errors import PublishError
from doamc.estimates import Subscriber
from doamc.estimates.border import receive
from tests.fuzz.targets.messages import use

from .mutations import estimate, mutated, truth, whole


def admitted(topic, data):
    try:
        return receive([topic, data])
    except PublishError as error:
        assert str(error).isprintable() and len(str(error)) < 600
        return None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([b"doamc.estimate", b"doamc.status", b""]), st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused(topic, data):
    assert admitted(topic, data) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(estimate())), _JSON)
def test_any_value_at_any_key(key, value):
    data = json.dumps(estimate() | {key: value}).encode()
    if (item := admitted(b"doamc.estimate", data)) is not None:
        use(*item)


def test_mutations_meet_both_sides_of_the_border():
    """The harness would be worth nothing if all were refused, or none."""
    passed = sum(admitted(*mutated(random.Random(seed))) is not None for seed in range(400))
    assert 40 < passed < 320
    assert admitted(*whole(3)) and admitted(b"doamc.truth", json.dumps(truth()).encode())


def test_subscriber_and_feed_count_every_message_and_read_on():
    """Three hundred over a socket: what is refused, and what is not, adds up to all of them."""
    sent = [mutated(random.Random(seed)) for seed in range(300)]
    expected = [admitted(*frames) for frames in sent if frames[0].startswith((b"doamc.estimate", b"doamc.status"))]
    good = sum(item is not None and item[0] == "doamc.estimate" for item in expected)
    bad = sum(item is None for item in expected)
    with zmq.Context() as context, context.socket(zmq.PUB) as rogue:
        rogue.setsockopt(zmq.LINGER, 0)
        rogue.setsockopt(zmq.SNDHWM, 0)
        address = f"tcp://127.0.0.1:{rogue.bind_to_random_port('tcp://127.0.0.1')}"
        live = BearingsLive([Receiver("roof", address)], SwitchedRecorder(None))
        live.open()
        (feed,) = live.feeds
        with Subscriber(address) as subscriber:
            feed.start()
            try:
                while subscriber.receive(0.05) is None or feed.latest is None:
                    rogue.send_multipart(whole(1))
                while subscriber.receive(0.2) is not None:
                    pass
                before, heard = feed.health(0.0), subscriber.received
                for frames in [*sent, whole(999_999)]:
                    rogue.send_multipart(frames)
                while (item := subscriber.receive(20)) is not None and item[1].get("seq") != 999_999:
                    pass
                assert (subscriber.received - heard, subscriber.malformed) == (good + 1, bad)
                end = threading.Event()
                while feed.latest["seq"] != 999_999:
                    end.wait(0.01)
                health = feed.health(0.0)
                assert health["received"] - before["received"] == good + 1 and health["malformed"] == bad
                assert health["lost"] < 2**60 and math.isfinite(health["rate_hz"])
                assert len(live.hello()) > 100
                assert json.loads(live.frame([live.taken(feed)]))["receivers"][0]["views"]
            finally:
                feed.close()
