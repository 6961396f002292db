"""Bearings on the page: the table that Python is held against, too, and an orientation that comes, turns and goes."""

import numpy as np
import pytest

from doamc.estimates import Publisher
from tests.doamc.bearing_table import INTERVALS, TABLE

from .conftest import shows
from .serving import FREE, Served, estimate


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
