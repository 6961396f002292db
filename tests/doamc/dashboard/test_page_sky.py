"""The page "Sky" in a real browser: what it shows is what was sent."""

import time

import pytest
from matplotlib.image import imread

from doamc.dashboard.receivers import Receiver
from doamc.estimates import Publisher
from doamc.protocol import SKY_TOPIC

from .conftest import Watched, rows_of, shows
from .serving import FREE, Served, until
from .sky_messages import sky
from .test_page_controls import AXE, CROWDED, LAID_OUT


class Sky:
    """A publisher, a dashboard and its page "Sky"; `show` sends images until the page has the last one."""

    def __init__(self, publisher, served, page):
        self.publisher, self.served, self.page, self.seq = publisher, served, page, 0

    def show(self, page=None, **changes):
        self.seq += 1
        self.publisher.send(SKY_TOPIC, sky(self.seq, **changes))
        shows(page or self.page, "seq", f"image {self.seq}")
        return page or self.page

    def rows(self):
        return rows_of(self.page, "sources")


@pytest.fixture(scope="module")
def opened(chromium):
    with pytest.MonkeyPatch.context() as patch, Publisher(FREE, heartbeat_s=0.2) as publisher:
        patch.setattr("doamc.dashboard.sky_live.SILENT_S", 1e9)
        with Served([], [Receiver("roof", publisher.address, heading_deg=90.0)]) as served:
            feed = served.dashboard.sky.feeds[0]

            def arrived():
                publisher.send(SKY_TOPIC, sky(0))
                return feed.health(time.time())["received"]

            until(arrived, pause_s=0.05)
            watched = Watched(chromium)
            page = watched.open(served.url + "sky", viewport={"width": 1280, "height": 1000})
            until(lambda: len(served.dashboard.sky.browsers) > 0)
            yield Sky(publisher, served, page)
            watched.close()
    watched.check()


@pytest.fixture
def live(opened):
    """The page with the convention of the compass and one imager."""
    feed = opened.served.dashboard.sky.feeds[0]
    with feed._lock:
        feed._newest.clear()
        feed._waiting.clear()
    opened.page.set_viewport_size({"width": 1280, "height": 1000})
    opened.page.reload()
    opened.page.get_by_text("Compass", exact=True).click()
    return opened


def test_the_page_has_what_was_sent(live):
    """Heading 90: azimuth 20 is bearing 70, and 110 is 340."""
    page = live.show(dynamic_range_db=31.25, peak=1.0, artefact=0.01, dropped=3, latency_ms=42.0)
    until(lambda: [row[1][:3] for row in live.rows()] == ["070", "340"])
    first = live.rows()[0]
    assert (
        first[0] == "1" and first[5] in ("0.0 dB", "-0.0 dB") and float(first[1][:-1]) == pytest.approx(70.0, abs=0.3)
    )
    assert float(first[3][:-1]) == pytest.approx(40.0, abs=0.3) and first[6].startswith("16.8° × 26.")
    text = lambda k: page.locator(f"#{k}").text_content().replace("\u2212", "-")  # noqa: E731
    assert [text(k) for k in ("range", "artefact", "latency", "dropped")] == ["31.3", "-20.0", "42", "3"]
    for words in ("array uca16", "coupling left in", "433 MHz", "noise -10.0 dB", "beam 16.8° wide"):
        assert words in text("about")
    assert "mirror image" in text("alike") and text("link") == "Live"
    page.get_by_text("Mathematical", exact=True).click()
    until(lambda: [row[1][:2] for row in live.rows()] in (["20", "11"], ["20", "10"], ["19", "11"], ["19", "10"]))


def brightest(page, canvas="image"):
    """Where the canvas is most yellow, as a share of its width and height; the scale of colours is left out."""
    return page.evaluate(
        """(id) => {
            const canvas = document.getElementById(id), { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let best = -1, x = 0, y = 0, n = 0;
            for (let j = 0; j < height; j++) for (let i = 0; i < 0.85 * width; i++) {
                const k = 4 * (j * width + i), level = data[k] + data[k + 1] - 3 * data[k + 2];
                if (level > best + 5) { best = level; x = y = n = 0; }
                if (level > best - 5) { x += i; y += j; n++; }
            }
            return [x / n / width, y / n / height];
        }""",
        canvas,
    )


@pytest.mark.parametrize("azimuth, right, up", [(0.0, 0.766, 0.0), (90.0, 0.0, 0.766), (180.0, -0.766, 0.0)])
def test_a_point_stands_where_it_is(live, azimuth, right, up):
    """At 40 degrees of elevation, cos 40 from the middle: +x to the right, +y upwards, in either convention."""
    page = live.show(azimuth_deg=(azimuth,))
    middle, radius = page.evaluate(
        """() => {
            const c = document.getElementById("image"), w = c.clientWidth, h = c.clientHeight;
            const side = Math.min(w - 34 - 76, h - 20 - 24);
            return [[(34 + (w - 34 - 76) / 2) / w, (20 + (h - 20 - 24) / 2) / h], [side / 2 / w, side / 2 / h]];
        }"""
    )
    expected = [middle[0] + right * radius[0], middle[1] - up * radius[1]]
    until(lambda: brightest(page) == pytest.approx(expected, abs=0.03))


def test_imagers_are_told_apart_and_the_choice_is_kept(live):
    page = live.show(name="coupling left in")
    assert page.locator("#imager-box").is_hidden()
    live.seq += 1
    live.publisher.send(SKY_TOPIC, sky(live.seq, name="coupling taken out", coupling="taken out"))
    page.locator("#imager-box").wait_for()
    page.locator("#imager").select_option(label="coupling taken out")
    until(lambda: "coupling taken out" in page.locator("#about").text_content())
    live.show(name="coupling taken out", coupling="taken out")
    live.publisher.send(SKY_TOPIC, sky(live.seq, name="coupling left in"))
    live.show(name="coupling taken out", coupling="taken out")
    assert "coupling taken out" in page.locator("#about").text_content()


def test_an_image_without_points_and_what_is_not_told(live):
    page = live.show(sources=[], beam_deg=[None, None], dynamic_range_db=None, artefact=None, alike=None)
    until(lambda: live.rows() == [["no point"]])
    assert page.locator("#range").text_content() == "–"
    source = {"azimuth_deg": 10.0, "elevation_deg": 0.0, "power_db": -3.0, "azimuth_std_deg": 0.5}
    live.show(sources=[source | {"elevation_std_deg": None, "beam_deg": [12.0, None]}])
    until(lambda: live.rows() == [["1", "080.00°", "0.50°", "not told", "–", "-3.0 dB", "12.0° × all"]])


def test_pause_holds_the_image(live):
    page = live.show()
    page.locator("#pause").click()
    shown = live.seq
    live.seq += 1
    live.publisher.send(SKY_TOPIC, sky(live.seq))
    feed = live.served.dashboard.sky.feeds[0]
    until(lambda: feed.past()[0]["seq"] == live.seq)
    until(lambda: page.locator("#link").text_content() == "Paused")
    assert page.locator("#seq").text_content() == f"image {shown}"
    page.locator("#pause").click()
    live.show()


def test_odd_messages_are_counted_and_texts_are_not_markup(live):
    rude = "<img src=x onerror=alert(1)>"
    page = live.show(array=rude)
    assert rude in page.locator("#about").text_content() and page.locator("main img, main script").count() == 0
    feed = live.served.dashboard.sky.feeds[0]
    before = feed.health(0.0)["malformed"]
    with live.publisher._lock:
        for data in (b"{}", b'{"schema": "doamc.sky/1"}'):
            live.publisher._socket.send_multipart([b"doamc.sky", data])
    live.publisher.send(SKY_TOPIC, sky(1, std=[[0.0, 1.0], [1.0, 0.0]]))
    until(lambda: feed.health(0.0)["malformed"] == before + 3)
    live.show()
    shows(page, "malformed", str(before + 3))
    read = page.evaluate(
        """async () => {
            const { readSky } = await import("/static/js/sky/read.js");
            const sources = [];
            return [null, 3, {}, { sources, shape: [1e9, 2] }, { sources, shape: [2, 2], image: "AAAA" }].map(readSky);
        }"""
    )
    assert read == [None] * 5


def test_the_picture_for_print_is_light_in_a_dark_theme_too(live):
    page = live.show()
    page.locator("#theme").select_option("dark")
    with page.expect_download() as download:
        page.locator("#export-png").click()
    picture = imread(download.value.path(), "png")
    assert picture.shape[1] == 1600 and (picture[1, 1] == 1.0).all()  # white
    assert (picture[300:, :, :3].min(2) < 0.5).mean() > 0.05  # and something is on it
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    page.locator("#theme").select_option("auto")


def test_axe_finds_nothing_in_either_theme(live):
    context = live.page.context.browser.new_context(bypass_csp=True)  # axe is brought in from outside
    page = context.new_page()
    page.goto(live.served.url + "sky")
    live.show(page=page)
    page.add_script_tag(path=AXE)
    for theme in ("light", "dark"):
        page.locator("#theme").select_option(theme)
        result = page.evaluate("() => axe.run()")
        found = [(v["id"], node["html"], node["failureSummary"]) for v in result["violations"] for node in v["nodes"]]
        assert found == [] and len(result["passes"]) > 20, theme
    context.close()


def test_narrow_pages_do_not_scroll_sideways_and_nothing_overlaps(live):
    page = live.show()
    for width in (320, 390, 800, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(LAID_OUT)
        overlaps, wide = page.evaluate(CROWDED)
        assert overlaps == [] and wide == [], width
