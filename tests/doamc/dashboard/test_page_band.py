"""The page "Band" in a real browser: what it shows is what was sent, and it stays as small as it began."""

import time
from pathlib import Path

import numpy as np
import pytest

from doamc.dashboard.receivers import Receiver
from doamc.estimates import Publisher
from doamc.protocol import SIGNAL_TOPIC, SPECTRUM_TOPIC
from doamc.views.palette import direction_rgb

from .band_messages import BINS, LOW_HZ, STEP_HZ, signal, spectrum
from .conftest import Watched, rows_of, shows
from .serving import FREE, Served, until
from .test_page_controls import AXE, CROWDED, LAID_OUT

HERE = Path(__file__).parent


class Band:
    """A publisher, a dashboard and its page "Band"; `show` sends messages until the page has the last spectrum."""

    def __init__(self, publisher, served, page):
        self.publisher, self.served, self.page, self.seq = publisher, served, page, 0

    def show(self, *messages, power_dbfs=None, page=None, times=1):
        for m in messages:
            self.publisher.send(SIGNAL_TOPIC, m)
        for _ in range(times):
            self.seq += 1
            # the number of dropped slices stands on the page: it tells which spectrum that has
            self.publisher.send(SPECTRUM_TOPIC, spectrum(self.seq, power_dbfs, dropped_slices=self.seq))
        shows(page or self.page, "dropped", str(self.seq))
        return page or self.page

    def rows(self):
        return rows_of(self.page, "signals")


def connected(publisher, served):
    def arrived():
        publisher.send(SPECTRUM_TOPIC, spectrum(0))
        return served.dashboard.band.feeds[0].health(time.time())["spectra"]

    until(arrived, pause_s=0.02)


@pytest.fixture(scope="module")
def open_band(chromium):
    with pytest.MonkeyPatch.context() as patch, Publisher(FREE, heartbeat_s=0.2) as publisher:
        for name in ("SHOWN_S", "SILENT_S"):  # on a computer that is busy a signal may be older when a test looks at it
            patch.setattr(f"doamc.dashboard.band_live.{name}", 1e9)
            patch.setattr(f"doamc.views.band.{name}", 1e9)
        receiver = Receiver("roof", publisher.address, heading_deg=90.0)
        with Served([], [receiver]) as served:
            connected(publisher, served)
            watched = Watched(chromium)
            page = watched.open(served.url + "band", viewport={"width": 1280, "height": 1000})
            until(lambda: len(served.dashboard.band.browsers) > 0)
            yield Band(publisher, served, page)
            watched.close()
    watched.check()


@pytest.fixture
def band(open_band):
    """The page loaded anew, without what other tests have sent."""
    with open_band.served.dashboard.band.feeds[0]._lock:
        open_band.served.dashboard.band.feeds[0]._band._newest.clear()
    open_band.page.reload()
    open_band.page.get_by_text("Compass", exact=True).click()
    return open_band


THREE = (
    signal(1, 300e3, (0.0,), track=7, snr_db=12.0, bandwidth_hz=12.5e3),
    signal(2, 900e3, (-120.0,), track=3, snr_db=30.0, bandwidth_hz=25e3),
    signal(3, 1500e3, (45.0, 100.0), track=5, snr_db=5.0, bandwidth_hz=8e3),
)


def test_the_table_has_what_was_sent_and_is_sorted_by_any_column(band):
    page = band.show(*THREE)
    until(lambda: len(band.rows()) == 4)
    assert band.rows() == [  # heading 90: azimuth 0 is bearing 90, and -120 is 210
        ["433.1000", "12.5", "12.0", "2.5", "7", "090.0°", "0.50°"],
        ["433.7000", "25.0", "30.0", "2.5", "3", "210.0°", "0.50°"],
        ["434.3000", "8.0", "5.0", "2.5", "5", "045.0°", "0.50°"],
        ["434.3000", "8.0", "5.0", "2.5", "6", "350.0°", "0.50°"],
    ]
    heads = page.locator("#signals thead button")
    column = lambda k: [row[k] for row in band.rows()]  # noqa: E731
    for k, rising in (
        (1, ["8.0", "8.0", "12.5", "25.0"]),
        (4, ["3", "5", "6", "7"]),
        (5, ["045.0°", "090.0°", "210.0°", "350.0°"]),
    ):
        heads.nth(k).click()
        until(lambda k=k, rising=rising: column(k) == rising)
        assert page.locator("#signals thead th").nth(k).get_attribute("aria-sort") == "ascending"
        heads.nth(k).click()
        until(lambda k=k, rising=rising: column(k) == rising[::-1])
        assert page.locator("#signals thead th").nth(k).get_attribute("aria-sort") == "descending"
    assert page.locator("#signals [aria-sort]").count() == 1
    heads.nth(2).click()
    until(lambda: column(2) == ["30.0", "12.0", "5.0", "5.0"])  # the strongest first at the first press
    page.get_by_text("Mathematical", exact=True).click()
    until(lambda: column(5) == ["-120.0°", "0.0°", "45.0°", "100.0°"])


def test_rows_stay_with_their_signal_and_unknown_figures_are_dashes(band):
    page = band.show(*THREE)
    until(lambda: len(band.rows()) == 4)
    page.evaluate("() => { document.querySelector('#signals tbody tr').kept = 1; }")
    band.show(signal(1, 300e3, (10.0,), snr_db=13.0), signal(9, 0.0, (), snr_db=3.0))
    until(lambda: len(band.rows()) == 5)
    assert band.rows()[0] == ["432.8000", "12.5", "3.0", "2.5", "–", "–", "–"]
    assert page.evaluate("() => [...document.querySelectorAll('#signals tbody tr')].map((r) => r.kept ?? 0)") == [
        0,
        1,
        0,
        0,
        0,
    ]
    assert band.rows()[1][2:6] == ["13.0", "2.5", "–", "080.0°"]


def test_a_crowd_of_signals_is_counted_where_the_table_ends(band):
    for first in range(0, 230, 46):  # no more at once than wait for a reader
        page = band.show(*[signal(first + k, 9e3 * (first + k)) for k in range(46)])
    shows(page, "no-signal", "30 more")
    assert page.locator("#signals tbody tr").count() == 200


def test_a_row_or_a_mark_is_followed_everywhere_and_over_the_end_of_its_signal(band):
    page = band.show(*THREE)
    page.get_by_role("button", name="433.7000").click()
    shows(page, "followed-bearing", "210.0°")
    assert page.locator("#followed-interval").text_content() == "90 %: 209.2° … 210.8°"
    for words in ("25.0 kHz", "SNR 30.0 dB", "emitter 3"):
        assert words in page.locator("#followed-about").text_content()
    assert page.locator("#signals .followed").count() == 1
    assert page.get_by_role("button", name="433.7000").get_attribute("aria-pressed") == "true"
    band.show(signal(2, 900e3, (-120.0,), track=3, ended=True), signal(8, 900e3, (-110.0,), track=3))
    shows(page, "followed-bearing", "200.0°")  # the same emitter comes again
    page.locator("#release").click()
    page.locator("#followed").wait_for(state="hidden")
    where = page.evaluate(  # a click on the mark in the panorama
        """async ([hz, low, high]) => {
            const box = document.getElementById("panorama").getBoundingClientRect();
            const x = 58 + (hz - low) / (high - low) * (box.width - 58 - 14);
            return [box.left + x, box.top + 8 + (1 - 90 / 360) * (box.height - 48)];
        }""",
        [LOW_HZ + 300e3, LOW_HZ, LOW_HZ + BINS * STEP_HZ],
    )
    page.mouse.click(*where)
    shows(page, "followed-bearing", "090.0°")
    page.locator("#plots").focus()
    page.keyboard.press("Escape")
    page.locator("#followed").wait_for(state="hidden")
    page.keyboard.press("ArrowDown")
    shows(page, "followed-bearing", "090.0°")  # the lowest frequency
    page.keyboard.press("ArrowDown")
    shows(page, "followed-bearing", "200.0°")


def pixels(page, canvas, script):
    return page.evaluate(
        f"""() => {{
            const canvas = document.getElementById("{canvas}"), s = canvas.width / canvas.clientWidth;
            const context = canvas.getContext("2d");
            const at = (x, y) => [...context.getImageData(Math.round(x * s), Math.round(y * s), 1, 1).data];
            const wide = canvas.clientWidth, high = canvas.clientHeight;
            {script}
        }}"""
    )


def test_a_carrier_stands_in_the_waterfall_where_its_frequency_is(band):
    power = np.full(BINS, -95.0)
    power[96] = -30.0  # at a quarter
    page = band.show(power_dbfs=power, times=20)  # some are one line of the screen
    bright = """
        const level = (k) => { const [r, g] = at(58 + k, 7); return r + g; };
        const row = [...Array(Math.floor(wide - 72)).keys()].map(level);
        return row.indexOf(Math.max(...row)) / (wide - 72);
    """
    until(lambda: pixels(page, "fall", bright) == pytest.approx(96.5 / BINS, abs=0.004))
    page.locator("#plots").focus()
    for _ in range(4):
        page.keyboard.press("+")  # about the middle: what is at 0.2513 comes to lie farther left
    expected = 0.5 - (0.5 - 96.5 / BINS) * 1.25**4
    assert expected < 0  # out of sight
    page.keyboard.press("0")
    page.keyboard.press("+")
    expected = 0.5 - (0.5 - 96.5 / BINS) * 1.25
    until(lambda: pixels(page, "fall", bright) == pytest.approx(expected, abs=0.004))


def test_hover_reads_frequency_time_level_and_signal(band):
    power = np.full(BINS, -95.0)
    power[190:194] = -42.0
    page = band.show(signal(4, 192 * STEP_HZ, (30.0,), bandwidth_hz=25e3), power_dbfs=power, times=20)
    words = lambda: page.locator("#readout").text_content().replace("−", "-")  # noqa: E731
    for canvas in ("spectrum", "fall", "panorama"):
        box = page.locator(f"#{canvas}").bounding_box()
        page.mouse.move(box["x"] + 58 + (box["width"] - 72) * 192.5 / BINS, box["y"] + 5)
        until(lambda: "434.00" in words())
        assert "signal 434.0000 MHz from 060.0°" in words() or canvas == "panorama"
        assert "-42.0 dBFS" in words()
        assert ("floor -95.0 dBFS" in words()) == (canvas != "fall")
    page.mouse.move(0, 0)
    until(lambda: words().startswith("Wheel: zoom"))


def test_wheel_and_drag_zoom_and_a_double_click_shows_all(band):
    page = band.show()
    shown = "() => document.getElementById('zoom-reset').disabled"
    box = page.locator("#spectrum").bounding_box()
    x, y, wide = box["x"] + 58, box["y"] + 40, box["width"] - 72
    frequency = lambda: float(page.locator("#readout").text_content().split(" MHz")[0])  # noqa: E731
    page.mouse.move(x + 0.25 * wide, y)
    until(lambda: page.locator("#readout").text_content().startswith("43"))
    before = frequency()
    page.mouse.wheel(0, -100)
    page.wait_for_function(f"() => !({shown})()")
    assert frequency() == pytest.approx(before, abs=0.002)  # what is under the pointer stays there
    page.mouse.dblclick(x + 0.25 * wide, y)
    page.wait_for_function(shown)
    page.mouse.move(x + 0.25 * wide, y)
    page.mouse.down()
    page.mouse.move(x + 0.5 * wide, y, steps=3)
    page.mouse.up()
    page.wait_for_function(f"() => !({shown})()")
    page.mouse.move(x + 0.5 * wide, y)
    until(lambda: frequency() == pytest.approx((LOW_HZ + 0.375 * BINS * STEP_HZ) / 1e6, abs=0.005))
    page.get_by_role("button", name="All", exact=True).click()
    page.wait_for_function(shown)


def test_the_page_colours_directions_as_python_does(band):
    angles = list(range(-360, 720, 7))
    colours = band.page.evaluate(
        """async (angles) => { const m = await import("/static/js/colormaps.js"); return angles.map(m.direction); }""",
        angles,
    )
    found, expected = np.array(colours), np.array([direction_rgb(a) for a in angles])
    assert np.abs(found - expected).max() <= 1  # halves are rounded to even there, up here


def test_odd_messages_are_ignored_and_counted(band):
    page = band.show(*THREE)
    before = int(page.locator("#malformed").text_content())
    feed = band.served.dashboard.band.feeds[0]
    malformed = feed.health(0.0)["malformed"]
    with band.publisher._lock:
        empty = b'{"schema": "doamc.spectrum/1"}'
        for topic, data in ((b"doamc.signal", b"{}"), (b"doamc.spectrum", b"\xff"), (b"doamc.spectrum", empty)):
            band.publisher._socket.send_multipart([topic, data])
    band.show()
    until(lambda: feed.health(0.0)["malformed"] == malformed + 3)
    shows(page, "malformed", str(before + 3))
    assert "required property" in page.locator("#fault").text_content()
    odd, signals, spectra, kept, count = page.evaluate((HERE / "odd_band.js").read_text())
    assert odd == signals + spectra > 0 and kept == count == 0


def test_strings_in_messages_are_text_and_not_markup(band):
    rude = "<img src=x onerror=alert(1)>"
    fit = {"misfit": 9.0, "probability": 0.0, "doubtful": True, "cause": rude}
    page = band.show(signal(1, 300e3, method=rude, array="</p><script>alert(1)</script>", fit=fit))
    page.get_by_role("button", name="433.1000").click()
    until(
        lambda: rude in page.locator("#about").text_content() and rude in page.locator("#followed-about").text_content()
    )
    assert page.locator("main img, main script").count() == 0


def test_axe_finds_nothing_in_either_theme(band):
    context = band.page.context.browser.new_context(bypass_csp=True)  # axe is brought in from outside
    page = context.new_page()
    page.goto(band.served.url + "band")
    band.show(*THREE, page=page)
    page.get_by_role("button", name="433.1000").click()
    page.add_script_tag(path=AXE)
    for theme in ("light", "dark"):
        page.locator("#theme").select_option(theme)
        page.locator("#followed").wait_for()
        result = page.evaluate("() => axe.run()")
        found = [(v["id"], node["html"], node["failureSummary"]) for v in result["violations"] for node in v["nodes"]]
        assert found == [] and len(result["passes"]) > 20, theme
    context.close()


def test_narrow_pages_do_not_scroll_sideways_and_nothing_overlaps(band):
    page = band.show(*THREE)
    for width in (320, 390, 800, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(LAID_OUT)
        overlaps, wide = page.evaluate(CROWDED)
        assert overlaps == [] and wide == [], width
    page.set_viewport_size({"width": 1280, "height": 1000})


def test_memory_stays_flat_over_thousands_of_slices(band):
    """As fast as the page takes them: the heap after 4000 slices is that after 1000, and no element is left over."""
    page = band.show(*THREE)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    page.evaluate((HERE / "feed_band.js").read_text())

    def sizes():
        devtools.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"]

    first = page.evaluate("() => feed(1000)")
    heap, nodes, listeners = sizes()
    second = page.evaluate("() => feed(3000)")
    later, more, still = sizes()
    assert first[2] == second[2] == 600 * 384 and second[1] <= 4096 and second[0] <= 16 * 14
    assert later < 1.05 * heap + 2e5 and more < nodes + 200 and still <= listeners + 5


@pytest.mark.slow
def test_memory_stays_flat_over_two_minutes_of_twenty_slices_a_second(band):
    """The whole way: ZMQ, server, WebSocket, page; rings are full after the first of them.

    Spectra that stayed would take 1.8 MB a minute, views of signals 2 MB; compiled code takes its time to settle.
    """
    devtools = band.page.context.new_cdp_session(band.page)
    devtools.send("Performance.enable")

    def sizes():
        devtools.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"], metrics["Nodes"]

    def minute():
        for k in range(1200):
            for s in range(16):
                azimuth = (10.0 * s + 0.01 * k,)
                band.publisher.send(SIGNAL_TOPIC, signal(s + 16 * (k // 200), 1e5 * s, azimuth, track=s + 1))
            band.publisher.send(SPECTRUM_TOPIC, spectrum(k))
            time.sleep(0.05)
        return sizes()

    heap, nodes = minute()
    later, more = minute()
    assert later < heap + 6e5 and more < nodes + 200
