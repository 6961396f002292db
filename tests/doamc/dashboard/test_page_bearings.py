"""Bearings on the page: the table that Python is held against, too, and an orientation that comes, turns and goes."""

import csv
import io
from urllib.request import urlopen

import numpy as np
import pytest

from doamc.dashboard.receivers import Receiver
from doamc.estimates import Publisher
from tests.doamc import one_bearing
from tests.doamc.bearing_table import INTERVALS, TABLE

from .conftest import shows
from .serving import FREE, Served, estimate, until

#: direction of a needle on a picture, clockwise from its upper edge: of the pixels of its colour some way out
NEEDLE = """async (picture) => {
    const c = document.getElementById(picture), scale = c.width / c.clientWidth;
    let x = c.clientWidth / 2, y = c.clientHeight / 2, slot = document.querySelector("#sources .dot").dataset.slot;
    let far = 0.45 * (Math.min(x, y) - 40);
    if (picture === "map") {
        const { PlaneMap } = await import("/static/js/map.js"), plane = new PlaneMap(c);
        plane._fit([{ east: 0, north: 0 }, { east: 1000, north: 0 }], [], c.clientWidth, c.clientHeight);
        [x, y, slot, far] = [x - plane.span.east * plane.span.scale, y + plane.span.north * plane.span.scale, 0, 90];
    }
    const hue = getComputedStyle(document.documentElement).getPropertyValue(`--s${slot}`).trim();
    const wanted = [1, 3, 5].map((i) => parseInt(hue.slice(i, i + 2), 16));
    const { data, width } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
    let east = 0, north = 0;
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 255 || wanted.some((v, k) => Math.abs(data[i + k] - v) > 2)) continue;
        const dx = ((i / 4) % width) + 0.5 - x * scale, dy = Math.floor(i / 4 / width) + 0.5 - y * scale;
        if (Math.abs(Math.hypot(dx, dy) / scale - far) < 8) { east += dx; north -= dy; }
    }
    return east || north ? (Math.atan2(east, north) * 180) / Math.PI : null;
}"""


def first(page, column):
    return page.locator("#sources tbody tr").first.locator("td").nth(column).text_content().replace("\u2212", "-")


def send(publisher, page, seq, **changes):
    publisher.estimate(estimate(seq, **({"azimuth_deg": [10.0], "std_deg": [1.0], "power_db": [0.0]} | changes)))
    shows(page, "seq", f"estimate {seq}")


def test_the_page_turns_azimuths_as_python_does(stage):
    turned = stage.page.evaluate(
        """async ([table, intervals]) => {
            const { bearing, bearingInterval } = await import("/static/js/angles.js");
            return [table.map(([a, h]) => bearing(a, h)), intervals.map(([a, i, h]) => bearingInterval(i, a, h))];
        }""",
        [TABLE, INTERVALS],
    )
    np.testing.assert_allclose(turned[0], [bearing for *_, bearing in TABLE], atol=1e-9)
    np.testing.assert_allclose(turned[1], [ends for *_, ends in INTERVALS], atol=1e-9)
    tiny = "async () => (await import('/static/js/angles.js')).bearing(1e-20, 0)"
    assert stage.page.evaluate(tiny) == 0.0


def test_bearings_are_shown_as_soon_as_the_messages_tell_the_heading(pages):
    """Without one azimuths, and the page says so; with one bearings, and after every turn of the array those of now."""
    with Publisher(FREE, heartbeat_s=0.2) as publisher, Served([publisher.address]) as served:
        page = pages.open(served.url)
        seq = 1000 + served.connected(publisher)
        send(publisher, page, seq)
        shows(page, "convention-note", "azimuths, counter-clockwise from +x: how the array stands is not known")
        shows(page, "bearing-head", "Azimuth")
        assert first(page, 0) == "10.00°" and page.locator("#density-title").text_content().endswith("over azimuth")
        for turn, (heading, bearing) in enumerate([(90.0, "080.00°"), (190.5, "180.50°"), (5.0, "355.00°")], 1):
            send(publisher, page, seq + turn, heading_deg=heading, interval_deg=[[8.0, 13.0]])
            shows(page, "convention-note", f"clockwise from true north; +x points to {heading:g}°")
            page.wait_for_function("text => document.querySelector('#sources td').textContent === text", arg=bearing)
            shows(page, "bearing-head", "Bearing")
        assert first(page, 2) == "352.0° …\u00a0357.0°"
        label = "() => document.getElementById('rose').getAttribute('aria-label').startsWith('Compass rose: 355.0°')"
        page.wait_for_function(label)
        assert page.locator("#density-title").text_content().endswith("over bearing")
        page.get_by_text("Mathematical", exact=True).click()
        shows(page, "convention-note", "azimuths, counter-clockwise from +x, as sent")
        page.wait_for_function("() => document.querySelector('#sources td').textContent === '10.00°'")


@pytest.mark.parametrize("turns", [False, True])
def test_the_waterfall_shows_each_row_by_the_heading_of_its_time(stage, turns):
    """An emitter at bearing 120 stays there, whatever way the array looked when it was heard."""
    headings = [90.0, 90.0 + 60.0 * turns]
    peaks = stage.page.evaluate(
        """async (headings) => {
            const { Waterfall } = await import("/static/js/waterfall.js");
            const { Convention } = await import("/static/js/angles.js");
            const canvas = Object.assign(document.createElement("canvas"), { width: 700, height: 300 });
            canvas.style.cssText = "width: 700px; height: 300px";
            document.body.append(canvas);
            const fall = new Waterfall(canvas), convention = new Convention("compass", headings[1], -180);
            const now = 1.79e9, times = [now - 20, now];
            headings.forEach((heading, i) => fall.add({
                received: times[i], heading_deg: heading, sources: [{ azimuth_deg: heading - 120, std_deg: 2 }] }));
            fall.draw(convention, now);
            canvas.remove();
            const context = fall.picture.getContext("2d"), brightest = (quarter) => {
                const row = 239 - (((quarter % 240) + 240) % 240);
                const { data } = context.getImageData(0, row, 720, 1);
                let best = -1, where = [];
                for (let x = 0; x < 720; x++) {
                    const value = data[4 * x] + data[4 * x + 1];
                    if (value > best) { best = value; where = []; }
                    if (value === best) where.push(x);
                }
                return (where.reduce((a, b) => a + b, 0) / where.length + 0.5) / 2;
            };
            return times.map((t) => brightest(Math.floor(t / 0.25)));
        }""",
        headings,
    )
    assert peaks == pytest.approx([120.0, 120.0], abs=1.0)


def test_one_estimate_has_the_bearings_that_every_other_view_shows(pages):
    """Table, rose, map and the last minute as CSV, against tests/doamc/one_bearing.py."""
    with Publisher(FREE, heartbeat_s=0.2) as publisher:
        receivers = [
            Receiver("roof", publisher.address, east_m=0.0, north_m=0.0),
            Receiver("hill", "tcp://127.0.0.1:9", east_m=1000.0, north_m=0.0),  # for a map, which needs two
        ]
        with Served([], receivers) as served:
            page = pages.open(served.url)
            seq = 1000 + served.connected(publisher)
            publisher.estimate(one_bearing.message(seq))
            shows(page, "seq", f"estimate {seq}")
            rows = page.locator("#sources tbody tr").all_inner_texts()
            assert [row.split("\t")[1] for row in rows] == [f"{b:06.2f}°" for b in one_bearing.BEARINGS]
            assert rows[0].split("\t")[3].replace("\xa0", " ") == "063.8° … 068.8°"  # halves upwards
            label = "Compass rose: 066.8°, \u22123.0 dB; 314.3°, \u22129.0 dB"
            page.wait_for_function("label => document.getElementById('rose').ariaLabel === label", arg=label)
            for picture in ("rose", "map"):
                until(lambda picture=picture: page.evaluate(NEEDLE, picture) is not None)  # drawn in its turn
                assert page.evaluate(NEEDLE, picture) == pytest.approx(one_bearing.BEARINGS[0], abs=0.7), picture
            with urlopen(served.url + "export/last-minute.csv") as answer:
                table = list(csv.DictReader(io.StringIO(answer.read().decode())))
            told = [[float(row[k]) for k in ("heading_deg", "bearing_deg")] for row in table[-2:]]
            assert told == [[one_bearing.HEADING, b] for b in one_bearing.BEARINGS]
            ends = [float(table[-2][k]) for k in ("bearing_low_deg", "bearing_high_deg")]
            assert ends == one_bearing.BEARING_INTERVAL
