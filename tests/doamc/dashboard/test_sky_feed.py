"""Images of the sky from ZMQ to the frames of the page "Sky", without a browser."""

import base64
import json
import time

import numpy as np
import pytest

from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_feed import MAX_NAMES, SkyFeed
from doamc.dashboard.sky_view import sky_view
from doamc.errors import PublishError
from doamc.estimates import validate
from doamc.estimates.message import encode
from doamc.protocol import SKY_TOPIC

from .sky_messages import PIXELS, found, sky


def sent(message):
    """A message as a reader gets it."""
    message = json.loads(encode(message))
    validate(message)
    return message


def feed_of(messages):
    """A feed that was given messages without a network."""
    feed = SkyFeed(Receiver("r", "tcp://127.0.0.1:1"))
    for m in messages:
        feed.on_message(SKY_TOPIC, sent(m), time.time())
    feed.close()
    return feed


def pixels(view, key):
    return np.frombuffer(base64.b64decode(view[key]), "<f4").reshape(view["shape"])


def test_images_come_back_as_they_were():
    view = sky_view(sent(sky()), 5.0)
    assert view["shape"] == [PIXELS, PIXELS] and view["received"] == 5.0
    for key in ("image", "std", "residual"):
        np.testing.assert_allclose(pixels(view, key), getattr(found(), key), atol=1e-5 * found().peak)
    assert [s["azimuth_deg"] for s in view["sources"]] == pytest.approx([20.0, 110.0], abs=0.3)


def test_a_message_of_the_largest_image_fits():
    side = 128
    image = np.random.default_rng(0).normal(size=(side, side)).round(5).tolist()
    data = encode(sky(image=image, std=image, residual=image))
    assert len(data) < 2**20
    validate(json.loads(data))


def test_only_the_newest_of_each_imager_waits_and_gaps_are_counted():
    feed = feed_of([sky(k, name=name) for k in (0, 1, 4) for name in ("left in", "taken out")])
    assert [(v["name"], v["seq"]) for v in feed.take()] == [("left in", 4), ("taken out", 4)]
    assert feed.take() == []
    assert [v["seq"] for v in feed.past()] == [4, 4]
    health = feed.health(time.time())
    assert (health["received"], health["lost"], health["unseen"], health["malformed"]) == (6, 4, 4, 0)


def test_memory_is_bounded_whatever_imagers_call_themselves():
    feed = feed_of([sky(0, name=f"imager {k}") for k in range(MAX_NAMES + 5)])
    assert [v["name"] for v in feed.past()] == [f"imager {k}" for k in range(5, MAX_NAMES + 5)]
    assert len(feed.take()) == len(feed._gaps) == MAX_NAMES


def test_texts_are_short_and_images_of_other_shapes_are_refused():
    view = sky_view(sent(sky(array="x" * 200, alike=None)), 5.0)
    assert view["array"] == "x" * 80 and view["alike"] is None
    for std, words in (
        ([[0.0, 1.0], [1.0, 0.0]], "of one shape"), ([[0.0, 1.0], [1.0, 0.0, 2.0]], "of one shape"),
    ):  # fmt: skip
        with pytest.raises(PublishError, match=words):
            sent(sky(std=std))
    with pytest.raises(PublishError, match="rows of one length"):
        rows = [[0.0, 1.0], [1.0, 0.0, 2.0]]
        sent(sky(image=rows, std=rows, residual=rows))
