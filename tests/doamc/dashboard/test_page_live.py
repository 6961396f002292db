"""The page over time: restarts, paces, floods, rude senders, several browsers."""

import json
import math
import threading
import time

import pytest

from doamc.dashboard import bearings_live
from doamc.dashboard.receivers import load_receivers
from doamc.estimates import Publisher, status_message

from .conftest import shows
from .serving import FREE, Served, estimate, until


class Pace:
    """Sends estimates at a rate from a thread of its own, from `seq` on, until the block ends."""

    def __init__(self, publisher, rate_hz, seq):
        self.publisher, self.rate, self.seq = publisher, rate_hz, seq
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        begin, first = time.monotonic(), self.seq
        while not self._end.wait(max(0.0, begin + (self.seq - first) / self.rate - time.monotonic())):
            self.publisher.estimate(estimate(self.seq))
            self.seq += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._end.set()
        self._thread.join(10)


def number(page, element):
    digits = "".join(c for c in page.locator(f"#{element}").text_content() if c in "0123456789.")
    return float(digits or "nan")


NO_ESTIMATE = "() => document.getElementById('link').textContent.startsWith('No estimate for ')"


def test_the_page_goes_on_when_the_publisher_starts_again(pages, monkeypatch):
    monkeypatch.setattr(bearings_live, "SILENT_S", 3.0)
    with Publisher(FREE) as first, Served([first.address]) as served:
        page = pages.open(served.url)
        served.connected(first)
        first.estimate(estimate(1000))
        shows(page, "seq", "estimate 1000")
        first.close()
        page.wait_for_function(NO_ESTIMATE)
        shows(page, "state", "no heartbeat")
        assert page.locator("#sources td").first.text_content() == "no bearings of now"
        with Publisher(first.address) as second:
            served.connected(second)
            second.estimate(estimate(70, azimuth_deg=[7.0], std_deg=[1.0], power_db=[0.0]))
            shows(page, "seq", "estimate 70")
            assert page.locator("#restarts").text_content() == "on the way, 1 restart"
            page.wait_for_function("() => document.querySelector('#sources td').textContent === '7.00°'")
            page.wait_for_function("() => document.getElementById('link').textContent === 'Live'")


def test_a_dead_receiver_does_not_look_alive(pages, served, publisher, monkeypatch):
    """Heartbeats go on while estimates stop: no needle and no number stands, and the link of the source is told."""
    monkeypatch.setattr(bearings_live, "SILENT_S", 0.5)
    page = pages.open(served.url)
    served.connected(publisher)
    page.wait_for_function(NO_ESTIMATE)
    assert page.locator("#sources td").first.text_content() == "no bearings of now"
    page.wait_for_function(
        "() => document.getElementById('rose').getAttribute('aria-label') === 'Compass rose: no emitter'"
    )
    publisher.status(status_message(time=0.0, state="error", seq=9, last_error="no server at there", link="absent"))
    shows(page, "sync", "absent")
    shows(page, "state", "publisher error: no server at there")
    assert "warn" in page.locator("#sync").get_attribute("class")
    coloured = page.evaluate(
        """() => {
            const c = document.getElementById("rose"), half = Math.floor(c.width / 4);
            const pixels = c.getContext("2d").getImageData(half, half, 2 * half, 2 * half).data;
            let count = 0; // of a saturated colour: needles and wedges are, the face is grey
            for (let i = 0; i < pixels.length; i += 4) {
                const [r, g, b, a] = pixels.slice(i, i + 4);
                if (a > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 100) count++;
            }
            return count;
        }"""
    )
    assert coloured == 0


def test_the_page_goes_on_when_the_server_starts_again(pages, publisher):
    pages.expected = ("ERR_CONNECTION_REFUSED", "WebSocket")  # the browser itself notes what could not be reached
    with Served([publisher.address]) as served:
        page, port = pages.open(served.url), served.dashboard.port
        served.connected(publisher)
        page.wait_for_function("() => document.getElementById('link').textContent === 'Live'")
    page.wait_for_function("() => document.getElementById('link').textContent === 'Server gone, reconnecting'")
    with Served([publisher.address], port=port) as served:
        until(lambda: len(served.dashboard.bearings.browsers) == 1)
        served.connected(publisher)
        publisher.estimate(estimate(77))
        shows(page, "seq", "estimate 77")


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_twenty_estimates_a_second(pages, served, publisher, seconds):
    """None is lost, the page comes to show the pace, and what it shows to be less than a second old."""
    page = pages.open(served.url)
    seq = served.connected(publisher)
    lost = served.feed().health(time.time())["lost"]
    with Pace(publisher, 20.0, seq) as pace:
        page.wait_for_timeout(1000 * seconds)
        until(lambda: number(page, "rate") == pytest.approx(20.0, abs=2.0))
        until(lambda: pace.seq - number(page, "seq") < 20)
    shows(page, "seq", f"estimate {pace.seq - 1}")
    assert number(page, "lost") == lost and number(page, "unseen") == 0
    assert page.locator("#link").text_content() == "Live"


def test_malformed_messages_are_shown_and_the_page_stays(pages, served, publisher):
    page = pages.open(served.url)
    seq = served.connected(publisher)
    with publisher._lock:
        for data in (b"\xff", b"{}", json.dumps(estimate(seq) | {"n_sources": "two"}).encode()):
            publisher._socket.send_multipart([b"doamc.estimate", data])
    publisher.estimate(estimate(500))
    shows(page, "seq", "estimate 500")
    shows(page, "malformed", "3")
    assert "n_sources: 'two' is not of type 'integer'" in page.locator("#fault").text_content()


def test_a_flood_is_survived_and_counted(pages, served, publisher):
    """Half a second as fast as it goes: the page takes the newest, tells how many it passed over, and answers."""
    page = pages.open(served.url)
    served.connected(publisher)
    with Pace(publisher, 1e9, 1000) as pace:
        page.wait_for_timeout(500)
        until(lambda: pace.seq > 1100)
        assert page.evaluate("() => 1 + 1") == 2

    def caught_up():  # the last ones of the flood may be lost; this one comes once the queues are empty
        publisher.estimate(estimate(pace.seq + 10))
        return number(page, "seq") == pace.seq + 10

    until(caught_up, pause_s=0.1)
    health = served.feed().health(time.time())
    assert health["malformed"] == 0 and health["received"] > 100
    assert number(page, "unseen") >= health["unseen"]


def test_two_browsers_show_the_same_and_one_that_stalls_does_not_hold_up_the_other(pages, served, publisher):
    stalled, other = pages.open(served.url), pages.open(served.url)
    seq = served.connected(publisher)
    for page in (stalled, other):
        page.wait_for_function("() => document.getElementById('seq').textContent.startsWith('estimate')")
    awake, moved = [], set()
    stalled.on("console", lambda message: awake.append(message.text))
    stalled.evaluate(
        """() => { setTimeout(() => {
            const end = Date.now() + 5000; while (Date.now() < end); console.log("awake"); }, 0); }"""
    )
    with Pace(publisher, 20.0, seq) as pace:
        while len(moved) < 10:  # half a second, on a computer that is not busy
            moved.add(number(other, "seq"))
            other.wait_for_timeout(50)
    assert not awake
    for page in (stalled, other):
        shows(page, "seq", f"estimate {pace.seq - 1}")
        assert page.locator("#sources tbody tr").count() == 2
    assert stalled.locator("#sources").inner_text() == other.locator("#sources").inner_text()


def test_a_page_that_comes_late_is_given_the_last_minute(pages, served, publisher):
    seq = served.connected(publisher)
    for k in range(50):
        publisher.estimate(estimate(seq + k))
    until(lambda: served.feed().latest["seq"] == seq + 49)
    page = pages.open(served.url)
    shows(page, "seq", f"estimate {seq + 49}")
    assert page.locator("#magnitude").is_visible()


def test_receivers_on_the_map(pages, tmp_path):
    """Two receivers whose bearings meet at (500, 500): where the map says it, and which receiver is shown."""
    with Publisher(FREE) as a, Publisher(FREE) as b:
        path = tmp_path / "stations.toml"
        path.write_text(
            f'[[receiver]]\nname = "roof"\nconnect = "{a.address}"\nposition_m = [0, 0]\nheading_deg = 90\n'
            f'[[receiver]]\nname = "hill"\nconnect = "{b.address}"\nposition_m = [1000, 0]\nheading_deg = 0\n'
        )
        with Served([], load_receivers(path)) as served:
            page = pages.open(served.url)
            for i, publisher in enumerate((a, b)):
                served.connected(publisher, i)
                publisher.estimate(estimate(500 + i, azimuth_deg=[45.0], std_deg=[1.0], power_db=[0.0]))
            radius = math.sqrt(-2 * math.log(0.05)) * math.radians(1.0) * 500 * math.sqrt(2)
            told = f"Crossing at 500 m east, 500 m north; 95 % ellipse ± {radius:.1f} m by ± {radius:.1f} m"
            shows(page, "fix", told)
            shows(page, "seq", "estimate 500")
            page.locator("#receiver").select_option("hill")
            shows(page, "seq", "estimate 501")
            assert b.address in page.locator("#about").text_content()
            # the crossing's own colour at its place on the canvas: the middle of the ellipse's cross
            ink = page.evaluate(
                """async () => {
                    const c = document.getElementById("map"), context = c.getContext("2d");
                    const { PlaneMap } = await import("/static/js/map.js"), plane = new PlaneMap(c);
                    plane._fit([{ east: 0, north: 0 }, { east: 1000, north: 0 }], [{ east_m: 500, north_m: 500 }],
                        c.clientWidth, c.clientHeight);
                    const { east, north, scale } = plane.span, s = c.width / c.clientWidth;
                    const x = c.clientWidth / 2 + (500 - east) * scale, y = c.clientHeight / 2 - (500 - north) * scale;
                    return [...context.getImageData(Math.round(x * s), Math.round(y * s), 1, 1).data];
                }"""
            )
            text = page.evaluate("() => getComputedStyle(document.documentElement).getPropertyValue('--text')").strip()
            assert ink[:3] == pytest.approx([int(text[i : i + 2], 16) for i in (1, 3, 5)], abs=40)


@pytest.mark.slow
def test_memory_does_not_grow(pages, served, publisher):
    """100 estimates a second fill what is kept within half a minute; a minute later neither side has grown.

    Heap of the page after garbage collection, resident set of this process: within 10 and 5 %.
    """
    page = pages.open(served.url)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def sizes():
        devtools.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        with open("/proc/self/statm") as file:
            return metrics["JSHeapUsedSize"], int(file.read().split()[1])

    with Pace(publisher, 100.0, served.connected(publisher)):
        page.wait_for_timeout(65_000)
        heap, resident = sizes()
        page.wait_for_timeout(60_000)
        heap_later, resident_later = sizes()
    assert heap_later < 1.1 * heap and resident_later < 1.05 * resident
