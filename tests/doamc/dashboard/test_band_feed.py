"""Signals and spectra from ZMQ to the frames of the page "Band", without a browser."""

import asyncio
import base64
import json
import time

import aiohttp
import numpy as np

from doamc.dashboard import band_feed
from doamc.dashboard.band_feed import BandFeed
from doamc.dashboard.band_view import packed, signal_view
from doamc.dashboard.receivers import Receiver
from doamc.estimates import validate
from doamc.protocol import SIGNAL_TOPIC, SPECTRUM_TOPIC

from .band_messages import BINS, signal, spectrum
from .serving import until


def levels(text):
    return np.frombuffer(base64.b64decode(text), "<i2") / 10


def feed_of(messages, heading_deg=None):
    """A feed that was given messages without a network."""
    feed = BandFeed(Receiver("r", "tcp://127.0.0.1:1", heading_deg))
    for m in messages:
        validate(m)
        feed.on_message(m["schema"].partition("/")[0], m, time.time())
    feed.close()
    return feed


def test_levels_come_back_in_tenths():
    level = np.array([-200.0, -95.04, 0.0, 12.3])
    np.testing.assert_allclose(levels(packed(level)), [-200.0, -95.0, 0.0, 12.3])


def test_a_view_has_the_heading_that_is_told_here_and_short_texts():
    m = signal(
        1, track=4, method="x" * 200, heading_deg=20.0, fit={"misfit": 9.0, "probability": 0.0, "doubtful": True}
    )
    validate(m)
    assert signal_view(m, 5.0)["heading_deg"] == 20.0 and signal_view(m, 5.0, 90.0)["heading_deg"] == 90.0
    view = signal_view(m, 5.0)
    assert view["method"] == "x" * 80 and view["doubt"] == "unknown" and view["sources"][0]["track"] == 4


def test_only_the_newest_of_each_signal_waits_and_gaps_are_counted():
    feed = feed_of(
        [signal(k % 3, seq=k, snr_db=float(k)) for k in range(9)] + [signal(1, seq=12)] + [spectrum(7), spectrum(9)]
    )
    signals, spectra = feed.take()
    assert [(s["id"], s["snr_db"]) for s in signals] == [(0, 6.0), (1, 15.0), (2, 8.0)] and len(spectra) == 2
    assert feed.take() == ([], [])
    health = feed.health(time.time())
    assert (health["signals"], health["spectra"], health["lost"]) == (10, 2, 3 + 1)
    assert [s["id"] for s in feed.past()[0]] == [0, 1, 2]
    np.testing.assert_allclose(levels(spectra[0]["power"]), -95.0)


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(band_feed, "MAX_PAST", 50)
    feed = feed_of([spectrum(k) for k in range(100)])
    assert len(feed.take()[1]) == 40 and feed.health(time.time())["unseen"] == 60 and len(feed.past()[1]) == 50
    monkeypatch.setattr(band_feed, "MAX_PAST_TEXT", 10 * len(packed(np.zeros(BINS))))
    feed = feed_of([spectrum(k) for k in range(100)])
    assert [s["seq"] for s in feed.past()[1]] == list(range(90, 100))


def test_hello_and_frames(served, publisher):
    def arrived():
        publisher.send(SIGNAL_TOPIC, signal(1, seq=0))
        return served.dashboard.band.feeds[0].past()[0]

    until(arrived, pause_s=0.02)

    async def scenario():
        async with aiohttp.ClientSession() as session, session.ws_connect(served.url + "live/band") as live:
            hello = frame = json.loads((await live.receive(timeout=60)).data)
            while not len(served.dashboard.band.browsers):
                await asyncio.sleep(0.01)
            publisher.send(SPECTRUM_TOPIC, spectrum(5))
            while frame["type"] != "frame" or not frame["receivers"][0]["spectra"]:
                frame = json.loads((await live.receive(timeout=60)).data)
            return hello, frame

    hello, frame = served.do(scenario())
    assert hello["type"] == "hello" and hello["receivers"][0]["signals"][0]["id"] == 1
    assert frame["receivers"][0]["spectra"][0]["seq"] == 5
