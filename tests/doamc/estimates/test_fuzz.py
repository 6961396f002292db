"""Whatever is sent: the border refuses it, or every reader behind the border can use it."""

import io
import json
import math
import random
import threading

import numpy as np
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from doamc.dashboard.export import as_csv, as_json
from doamc.dashboard.feed import Feed
from doamc.dashboard.fix import locate
from doamc.dashboard.frames import frame, hello
from doamc.dashboard.history import Kept
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.recording import Recording
from doamc.dashboard.view import coupling_view, estimate_view
from doamc.errors import PublishError
from doamc.estimates import Subscriber, decode, encode
from doamc.estimates.border import receive
from doamc.estimates.truth import Truth, coupling_error_db, match
from doamc.views import Convention, Health, Tracker, read_estimate
from doamc.views.terminal import screen

from .mutations import estimate, mutated, truth, whole

STATIONS = [
    Receiver("a", "tcp://127.0.0.1:9", 90.0, 0.0, 0.0, 0.0),
    Receiver("b", "tcp://127.0.0.1:9", 10.0, 1.0, 1000.0, 0.0),
    Receiver("c", "tcp://127.0.0.1:9", 10.0, 0.0, 0.0, 900.0),
]


def admitted(topic, data):
    try:
        return receive([topic, data])
    except PublishError as error:
        assert str(error).isprintable() and len(str(error)) < 600
        return None


def use(topic, message):
    """Everything that views, the dashboard and the outputs do with what has come."""
    health = Health()
    health.take(topic, message)
    reading = numbers = None
    if topic == "doamc.estimate":
        reading = read_estimate(message)
        numbers = Tracker().assign(reading.time_s, reading.azimuth_deg)
        assert len(match(reading.azimuth_deg, np.array([1.0, 100.0]))) == len(numbers)
        coupling_error_db(reading.coupling, np.eye(3))
        view = estimate_view(message, 1.79e9)
        json.dumps([view, coupling_view(message)], allow_nan=False)
        other = estimate_view(estimate(), 1.79e9)
        json.dumps(locate(STATIONS, [view, other, other], 1.79e9), allow_nan=False)
        kept = [("a", [Kept(1.79e9, view, encode(message))])]
        assert as_csv(kept) and json.loads(as_json(kept))[0]["message"] == message
    elif topic == "doamc.truth":
        known = Truth()
        known.add(message)
    assert decode(encode(message)) == message
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, color_system=None, force_terminal=True)
    console.print(screen(reading, numbers or [], Convention(), health, {"lost": 0}, "tcp://x", (80, 24)))
    lines = out.getvalue().split("\n")
    assert len(lines) <= 25 and all(line.isprintable() for line in lines)


@settings(max_examples=400)
@given(st.integers(0, 2**32))
def test_what_passes_can_be_used(seed):
    topic, data = mutated(random.Random(seed))
    if (item := admitted(topic, data)) is not None:
        use(*item)


@settings(max_examples=150)
@given(st.sampled_from([b"doamc.estimate", b"doamc.status", b""]), st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused(topic, data):
    assert admitted(topic, data) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200)
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
        feed = Feed(Receiver("roof", address), Recording(None))
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
                assert len(hello([feed], Recording(None))) > 100
                assert json.loads(frame([feed], [feed.take()], [], Recording(None)))["receivers"][0]["views"]
            finally:
                feed.close()
