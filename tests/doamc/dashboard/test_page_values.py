"""What the page shows is what was sent, in a real browser."""

import numpy as np
import pytest
from scipy.stats import norm

from doamc.angles import great_circle_deg
from doamc.estimates import status_message
from doamc.views.sky_ellipse import sky_ellipse, unrolled

from .conftest import rows_of, shows
from .serving import toeplitz, until


@pytest.fixture(autouse=True)
def mathematical(stage):
    """Every test begins with azimuths, as they are sent."""
    stage.page.get_by_text("Mathematical", exact=True).click()


def rows(page):
    return rows_of(page, "sources")


def text(page, element):
    return page.locator(f"#{element}").text_content().replace("\u2212", "-")


def slots(page):
    return page.evaluate("() => [...document.querySelectorAll('#sources .dot')].map((d) => Number(d.dataset.slot))")


def colour(page, name):
    value = page.evaluate("name => getComputedStyle(document.documentElement).getPropertyValue(name)", name).strip()
    return [int(value[i : i + 2], 16) for i in (1, 3, 5)] + [255]


def test_values_on_the_page_equal_those_sent(stage):
    before = stage.served.feed().health(0.0)["lost"]
    stage.seq += 41  # numbers that nobody will see
    page = stage.show(
        {
            "azimuth_deg": [-23.456, 41.5], "std_deg": [0.754, 2.5], "power_db": [-1.26, -7.5], "array": "roof6",
            "method": "map", "interval_deg": [[-24.71, -22.2], [37.4, 45.6]], "snapshots": 321, "dropped_batches": 12,
            "noise_power": 0.02, "latency_ms": {"buffer": 3.25, "inference": 20.5, "total": 26.0}, "sample_time": 41.7,
            "effective_snapshots": 123.4, "source_probability": [0.0, 0.06, 0.94],
        }
    )  # fmt: skip
    assert rows(page) == [
        ["1", "-23.46°", "0.75°", "-24.7° … -22.2°", "-1.3 dB"],
        ["2", "41.50°", "2.50°", "37.4° … 45.6°", "-7.5 dB"],
    ]
    assert [text(page, f"latency{k}") for k in ("", "-buffer", "-inference", "-rest")] == ["26.0", "3.3", "20.5", "2.3"]
    assert [text(page, k) for k in ("dropped", "malformed", "unseen")] == ["12", "0", "0"]
    about = text(page, "about")
    for part in ("array roof6", "method map", "321 snapshots, 123 of them independent", "433.92 MHz",
                 "noise -17.0 dB", "94 % for 2 sources", "stream time 41.7 s", stage.publisher.address):  # fmt: skip
        assert part in about, part
    lost = text(page, "lost").replace("\u202f", "")
    assert int(lost) == stage.served.feed().health(0.0)["lost"] >= before + 41
    page.wait_for_function("() => document.getElementById('link').textContent === 'Live'")


def test_the_state_of_the_publisher_and_of_its_receiver_are_told(stage):
    fault = {"state": "error", "seq": 1, "last_error": "channel 2 is dead"}
    stage.publisher.status(status_message(time=1.0, **fault, link="unsynchronised"))
    shows(stage.page, "sync", "unsynchronised")
    assert "publisher error: channel 2 is dead" in text(stage.page, "state")


def test_the_coupling_matrix_on_the_page_equals_that_sent(stage):
    c = toeplitz(4) * np.exp(0.1j * np.subtract.outer(range(4), range(4)))
    page = stage.show({"coupling": c, "coupling_std": np.full((4, 4), 0.0125)})
    page.locator("#matrix-box summary").click()
    page.wait_for_function("() => document.querySelector('#matrix td')?.textContent.endsWith('(± 0.0125)')")
    cells = [t.replace("\u2212", "-").replace(" ", "") for t in page.locator("#matrix td").all_text_contents()]
    found = np.array([complex(t.partition("(")[0]) for t in cells]).reshape(4, 4)
    np.testing.assert_allclose(found, c, atol=0.8e-4)
    assert page.locator("#spread-box").is_visible()
    shown = page.evaluate(
        """async (c) => { const m = await import("/static/js/coupling.js"); return m.quantities(c, c); }""",
        {"re": c.real.tolist(), "im": c.imag.tolist(), "std": np.full((4, 4), 0.0125).tolist()},
    )
    np.testing.assert_allclose(np.clip(20 * np.log10(np.abs(c) + 1e-12), -80, None), shown["magnitude"], atol=1e-9)
    strong = np.abs(c) > 10 ** (-30 / 20)
    phase = np.array(shown["phase"], dtype=float)
    np.testing.assert_array_equal(np.isfinite(phase), strong)  # the phase of a small entry is not shown
    np.testing.assert_allclose(phase[strong], np.degrees(np.angle(c))[strong], atol=1e-9)
    np.testing.assert_allclose(shown["spread"], 20 * np.log10(0.0125))
    page.locator("#matrix-box summary").click()


def test_unknown_figures_are_dashes(stage):
    page = stage.show(
        {"std_deg": None, "power_db": None, "coupling": None, "noise_power": None, "frequency_hz": None,
         "sample_time": None, "latency_ms": {}}
    )  # fmt: skip
    assert rows(page) == [["1", "-23.45°", "–", "–", "–"], ["2", "41.50°", "–", "–", "–"]]
    assert text(page, "latency") == "–" and "noise" not in text(page, "about")
    shows(page, "coupling-note", "this method gives no matrix")
    assert not page.locator("#magnitude").is_visible()


def test_an_estimate_without_sources(stage):
    page = stage.show({"azimuth_deg": [], "std_deg": [], "power_db": []})
    assert rows(page) == [["no emitter"]]


def test_names_from_the_network_are_text_and_not_markup(stage):
    rude = "<img src=x onerror=alert(1)>"
    page = stage.show({"array": rude, "method": "</p><script>alert(1)</script>"})
    assert rude in text(page, "about") and page.locator("#about img, #about script").count() == 0


def test_bearings_by_compass(stage):
    """Heading 90: +x looks east, so azimuth 0 is bearing 90 and azimuth 100 is bearing 350."""
    page = stage.show({"azimuth_deg": [0.0, 100.0], "std_deg": [1.0, 1.0]})
    assert text(page, "convention-note") == "azimuths, counter-clockwise from +x, as sent"
    assert [r[1] for r in rows(page)] == ["0.00°", "100.00°"]
    page.get_by_text("Compass", exact=True).click()
    assert text(page, "convention-note") == "clockwise from true north; +x points to 90°"
    page.wait_for_function("() => document.querySelector('#sources td').textContent === '090.00°'")
    assert [r[1] for r in rows(page)] == ["090.00°", "350.00°"] and text(page, "bearing-head") == "Bearing"
    assert [r[3] for r in rows(page)] == ["088.4° … 091.6°", "348.4° … 351.6°"]
    page.reload()
    page.wait_for_function("() => document.querySelector('#sources td')?.textContent === '090.00°'")
    page.get_by_text("Mathematical", exact=True).click()
    page.reload()  # the choice is remembered
    page.wait_for_function("() => document.querySelector('#sources td')?.textContent === '0.00°'")


@pytest.mark.parametrize("compass", [False, True])
def test_needles_and_wedges_point_where_the_sources_are(stage, compass):
    """By the pixels of the rose, half way out: a needle, its wedge of one deviation, and nothing elsewhere."""
    page = stage.page
    if compass:
        page.get_by_text("Compass", exact=True).click()
    stage.show({"azimuth_deg": [30.0], "std_deg": [8.0], "power_db": [0.0]})
    # +x looks east, which the compass has on the right, where mathematics has it too
    angles = np.radians([30.0, 36.0, 24.0, 41.0, 19.0, 46.0, 14.0, 127.0, 217.0, -53.0])
    pixels = page.evaluate(
        """(angles) => {
            const c = document.getElementById("rose"), s = c.width / c.clientWidth, context = c.getContext("2d");
            const middle = c.clientWidth / 2, radius = 0.55 * (middle - 40);
            return angles.map((a) => [...context.getImageData(
                (middle + radius * Math.cos(a)) * s, (middle - radius * Math.sin(a)) * s, 1, 1).data]);
        }""",
        angles.tolist(),
    )
    (slot,) = slots(page)
    assert pixels[0] == colour(page, f"--s{slot}")
    assert pixels[1] == pixels[2] and pixels[3] == pixels[4]  # within one deviation, and within 1.64
    assert 0 < pixels[3][3] < pixels[1][3] < 255
    assert [p[3] for p in pixels[5:]] == [0] * 5


def test_the_density_is_that_of_normal_distributions(stage):
    """Bins of the waterfall against scipy: two sources, one over the seam at 180 degrees; then two modes."""
    run = """async (view) => {
        const { addDensity } = await import("/static/js/waterfall.js"), row = new Float32Array(720);
        addDensity(row, view);
        return [...row];
    }"""
    sources = [{"azimuth_deg": -23.4, "std_deg": 0.7}, {"azimuth_deg": 179.0, "std_deg": 4.0}]
    edges = np.arange(-180.0, 180.1, 0.5)

    def density(mean, std):
        return sum(np.diff(norm.cdf(edges + turn, mean, std)) / 0.5 for turn in (-360, 0, 360))

    row = np.array(stage.page.evaluate(run, {"sources": sources}))
    np.testing.assert_allclose(row, density(-23.4, 0.7) + density(179.0, 4.0), atol=3e-6)
    assert row.sum() * 0.5 == pytest.approx(2.0, abs=1e-4)
    modes = [{"share": 0.6, "azimuth_deg": [-23.4, 179.0]}, {"share": 0.2, "azimuth_deg": [50.0, None]}]
    row = np.array(stage.page.evaluate(run, {"sources": sources, "modes": modes}))
    expected = 0.75 * (density(-23.4, 0.7) + density(179.0, 4.0)) + 0.25 * density(50.0, 0.7)
    np.testing.assert_allclose(row, expected, atol=3e-6)


def test_history_plots_are_true_to_scale(stage):
    """Three sources 45 degrees apart stand at equal distances in the plot, the highest azimuth on top."""
    page = stage.page
    for _ in range(15):  # so many that they outweigh what other tests have sent shortly before
        stage.show({"azimuth_deg": [-45.0, 0.0, 45.0], "std_deg": None, "power_db": [0.0, -1.0, -2.0]})
        page.wait_for_timeout(40)
    heights = """wanted => {
        const c = document.querySelector("#bearing-plot canvas"), from = c.width - 30;
        const { data, width } = c.getContext("2d").getImageData(from, 0, c.width - from, c.height);
        return wanted.map((rgb) => {
            const found = [];
            for (let i = 0; i < data.length; i += 4) {
                if (rgb.every((v, k) => Math.abs(data[i + k] - v) < 3)) found.push(Math.floor(i / 4 / width));
            }
            return found[found.length >> 1] ?? null;
        });
    }"""
    wanted = [colour(page, f"--s{slot}") for slot in slots(page)]

    def places():
        stage.show({"azimuth_deg": [-45.0, 0.0, 45.0], "std_deg": None, "power_db": [0.0, -1.0, -2.0]})
        found = page.evaluate(heights, wanted)
        return None not in found and found

    low, middle, high = until(places, pause_s=0.04)
    assert high < middle < low and middle - high == pytest.approx(low - middle, abs=1.5)


def test_a_colour_stays_with_an_emitter(stage):
    """Sources are sorted by azimuth; one that appears below the others does not take over their colour."""
    page = stage.show(*[{"azimuth_deg": [60.0 + k], "std_deg": [1], "power_db": [0]} for k in range(3)])
    (before,) = slots(page)
    stage.show({"azimuth_deg": [-70.0, 64.0], "std_deg": [1, 1], "power_db": [0, 0]})
    after = slots(page)
    assert after[1] == before and after[0] != before


def test_elevations_are_shown_where_an_array_tells_them(stage):
    page = stage.show({"azimuth_deg": [-30.0, 80.0], "std_deg": [1.0, 1.0], "power_db": [0.0, -3.0]})
    assert not page.locator("#elevation-box").is_visible() and not page.locator("#elevation-head").is_visible()
    page = stage.show(
        {
            "azimuth_deg": [-30.0, 80.0], "std_deg": [6.0, 1.0], "power_db": [0.0, -3.0],
            "elevation_deg": [40.0, 61.25], "elevation_std_deg": [3.0, None],
        }
    )  # fmt: skip
    page.wait_for_function("() => !document.getElementById('elevation-box').hidden")
    assert [row[-1] for row in rows(page)] == ["40.0° ± 3.0°", "61.3°"]
    page.wait_for_function("() => document.getElementById('elevations').ariaLabel.includes('elevation 61.3°')")
    page.wait_for_timeout(300)
    for number, place in enumerate([(-30, 40), (80, 61.25)]):
        slot = slots(page)[number]
        assert page.evaluate(ON_DOME, place) == colour(page, f"--s{slot}" if slot < 6 else "--muted")
    # the ellipse holds 90 %: 2.146 deviations, of 3 degrees in elevation and of 6 cos 40 on the ring
    for place, there in (((-30, 40 + 1.7 * 3), True), ((-30, 40 + 3.2 * 3), False), ((-30 + 1.9 * 6, 40), True),
                         ((-30 + 3.0 * 6, 40), False)):  # fmt: skip
        assert (page.evaluate(ON_DOME, place)[3] > 0) == there, place


#: colour where a direction is on the sky plot: the zenith in the middle, +x to the right
ON_DOME = """([azimuth, elevation]) => {
    const canvas = document.getElementById("elevations"), ratio = canvas.width / canvas.clientWidth;
    const w = canvas.clientWidth, h = canvas.clientHeight, radius = Math.min(w / 2 - 34, h / 2 - 22);
    const far = radius * (90 - elevation) / 90, turn = azimuth * Math.PI / 180;
    const x = w / 2 + far * Math.cos(turn), y = h / 2 - far * Math.sin(turn);
    return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""


def test_the_zenith_the_horizon_and_what_folds_in_words(stage):
    """At the zenith the ellipse is a circle about the middle; below the horizon the plot is azimuth by elevation."""
    words = "elevation folds: an emitter below looks like its mirror image above"
    source = {"azimuth_deg": [17.0], "std_deg": [100.0], "power_db": [0.0], "elevation_std_deg": [6.0]}
    page = stage.show(source | {"elevation_deg": [85.0], "alike": words})
    page.wait_for_function("(words) => document.getElementById('alike').textContent === words", arg=words)
    page.wait_for_timeout(300)
    reach = 5.0 + 1.2816 * 6.0
    for azimuth in range(8, 360, 45):  # between the lines of the grid
        assert page.evaluate(ON_DOME, [azimuth, 90 - reach + 1.5])[3] > 0
        assert page.evaluate(ON_DOME, [azimuth, 90 - reach - 2.5])[3] == 0
    stage.show(source | {"elevation_deg": [85.0]}, source | {"elevation_deg": [-40.0], "std_deg": [5.0]})
    page.wait_for_timeout(300)
    find = """([azimuth, elevation]) => {
        const canvas = document.getElementById("elevations"), ratio = canvas.width / canvas.clientWidth;
        const x = 44 + (azimuth + 180) / 360 * (canvas.clientWidth - 58);
        const y = 10 + (90 - elevation) / 180 * (canvas.clientHeight - 36);
        return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
    }"""
    (slot,) = slots(page)
    assert page.evaluate(find, (17.0, -40.0)) == colour(page, f"--s{slot}" if slot < 6 else "--muted")
    assert page.evaluate(find, (17.0, -40 + 2.0 * 6))[3] > 0 and page.evaluate(find, (17.0, -40 + 2.5 * 6))[3] == 0
    assert page.locator("#alike").text_content() == ""


def test_ellipses_are_those_of_the_other_views(stage):
    cases = [(30.0, 40.0, 6.0, 3.0), (30.0, 40.0, 6.0, 3.0, -0.7), (179.0, -35.0, 3.0, 8.0),
             (10.0, 87.0, 30.0, 1.0), (77.0, 88.8, 100.0, 0.7), (0.0, 0.0, 40.0, 300.0),
             (-100.0, -89.0, 60.0, 2.0)]  # fmt: skip
    code = """async (cases) => {
        const { skyEllipse, unrolled } = await import("/static/js/ellipse.js");
        return cases.map((c) => [skyEllipse(...c), unrolled(skyEllipse(...c), c[0])]);
    }"""
    for case, (curve, flat) in zip(cases, stage.page.evaluate(code, cases), strict=True):
        expected = sky_ellipse(*case)
        assert great_circle_deg(*np.array(curve).T, *expected.T).max() < 1e-5, case
        assert len(flat) == len(unrolled(expected, case[0])) and np.abs(np.diff(np.array(flat)[:73, 0])).max() < 180
    none = "async () => (await import('/static/js/ellipse.js')).skyEllipse(1, 2, null, 3)"
    assert stage.page.evaluate(none) is None
