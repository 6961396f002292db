"""What a person does on the page: by mouse, by keyboard, on a phone, at 200 %, in either theme."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from doamc.dashboard.pages import PAGES
from doamc.estimates import read_records

from .conftest import shows
from .serving import toeplitz, until

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
POSTERIOR = {
    "interval_deg": [[-24.7, -22.2], [37.4, 45.6]], "coupling_std": np.full((4, 4), 0.01), "coupling": toeplitz(4),
    "modes": [{"share": 0.7, "azimuth_deg": [-23.45, 41.5]}, {"share": 0.3, "azimuth_deg": [10.0, 41.5]}],
}  # fmt: skip


#: boxes that overlap, and elements that reach over the right edge
# Plots take their new width when the ResizeObserver of the frame after a change of the window has run.
LAID_OUT = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"
CROWDED = """() => {
    const shown = (e) => e.checkVisibility();
    const boxes = [...document.querySelectorAll("header > *, main > section, #health dl > div, figure, #sources td")]
        .filter(shown).map((e) => [e, e.getBoundingClientRect()]);
    const overlaps = [];
    boxes.forEach(([a, r], i) => boxes.slice(i + 1).forEach(([b, s]) => {
        const x = Math.min(r.right, s.right) - Math.max(r.left, s.left);
        const y = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
        if (x > 1 && y > 1 && !a.contains(b) && !b.contains(a)) overlaps.push([a.outerHTML, b.outerHTML]);
    }));
    const edge = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll("main *")].filter((e) => shown(e)
        && !e.closest(".scroll, .hidden, .u-wrap") && e.getBoundingClientRect().right > edge + 1);
    if (document.documentElement.scrollWidth > edge) wide.push(document.documentElement);
    return [overlaps, wide.map((e) => e.outerHTML.slice(0, 60))];
}"""


def test_axe_finds_nothing_in_either_theme(stage):
    """By WCAG 2.2 A and AA and best practices, with everything open and shown that can be."""
    context = stage.page.context.browser.new_context(bypass_csp=True)  # axe is brought in from outside
    page = context.new_page()
    page.goto(stage.served.url)
    stage.show({**POSTERIOR, "dropped_batches": 3}, page=page)
    page.add_script_tag(path=AXE)
    page.locator("#export summary").click()
    page.locator("#matrix-box summary").click()
    page.locator("#record").click()
    page.locator("#matrix td").first.wait_for()
    page.locator("#record-note").wait_for()
    for theme in ("light", "dark"):
        page.locator("#theme").select_option(theme)
        assert page.evaluate("() => document.documentElement.dataset.theme") == theme
        page.evaluate("() => { document.getElementById('export').open = true; }")
        result = page.evaluate("() => axe.run()")
        found = [(v["id"], node["html"], node["failureSummary"]) for v in result["violations"] for node in v["nodes"]]
        assert found == [] and len(result["passes"]) > 20, theme
    page.locator("#record").click()
    until(lambda: not stage.served.dashboard.recording.state()["on"])
    context.close()


def test_the_theme_is_switched_and_remembered(stage):
    page = stage.page
    background = "() => getComputedStyle(document.body).backgroundColor"
    page.locator("#theme").select_option("dark")
    dark = page.evaluate(background)
    page.reload()
    assert page.evaluate(background) == dark
    page.locator("#theme").select_option("light")
    assert page.evaluate(background) != dark
    page.locator("#theme").select_option("auto")


def test_recording_from_the_page(stage):
    page = stage.page
    folder = stage.served.dashboard.recording.folder
    before = set(folder.iterdir())
    page.get_by_role("button", name="Record").click()
    page.wait_for_function("() => document.getElementById('record').getAttribute('aria-pressed') === 'true'")
    stage.show({"azimuth_deg": [11.0], "std_deg": [1.0], "power_db": [0.0]}, POSTERIOR)
    page.get_by_role("button", name="Stop recording").click()
    page.wait_for_function("() => document.getElementById('record-note').textContent.startsWith('Recorded')")
    (path,) = set(folder.iterdir()) - before
    assert page.locator("#record-note").text_content() == f"Recorded {path.name} (2 estimates)"
    assert [m["seq"] for m in read_records(path)] == [stage.seq - 1, stage.seq]


def test_without_a_folder_the_button_says_why(pages, publisher):
    from .serving import Served

    with Served([publisher.address]) as served:
        page = pages.open(served.url)
        served.connected(publisher)
        page.wait_for_function("() => document.getElementById('record').title !== ''")
        button = page.get_by_role("button", name="Record")
        assert button.is_disabled() and "--recordings FOLDER" in button.get_attribute("title")


def test_exports(stage, tmp_path):
    page = stage.show({"azimuth_deg": [12.25, 80.5], "std_deg": [1.0, 2.0], "power_db": [0.0, -3.0]})

    def download(name):
        page.locator("#export summary").click()
        with page.expect_download() as waiting:
            page.get_by_text(name).click()
        if name.startswith("Last"):
            page.keyboard.press("Escape")
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    path = download("Last minute as CSV")
    with open(path, newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["seq"] == str(stage.seq)]
    assert path.suffix == ".csv" and [r["azimuth_deg"] for r in rows] == ["12.25", "80.5"]
    path = download("Last minute as JSON")
    assert path.suffix == ".json" and json.loads(path.read_text())[-1]["message"]["seq"] == stage.seq
    path = download("This view as PNG")
    from matplotlib.image import imread

    picture = imread(path)
    assert path.suffix == ".png" and picture.shape[1] == 1600 and picture.shape[0] > 600
    hue = page.evaluate("() => getComputedStyle(document.querySelector('#sources .dot')).backgroundColor")
    wanted = np.array([int(v) for v in re.findall(r"\d+", hue)]) / 255
    assert (np.abs(picture[..., :3] - wanted).max(-1) < 0.02).sum() > 80  # needle and points are in it


def test_pause_holds_the_view_and_loses_nothing(stage):
    page = stage.show({})
    page.get_by_role("button", name="Pause").click()
    held, stage.seq = stage.seq, stage.seq + 1
    from .serving import estimate

    stage.publisher.estimate(estimate(stage.seq))
    until(lambda: stage.served.feed().latest["seq"] == stage.seq)
    page.wait_for_timeout(300)
    assert page.locator("#seq").text_content() == f"estimate {held}"
    page.get_by_role("button", name="Resume").click()
    shows(page, "seq", f"estimate {stage.seq}")


def test_changes_are_counted_from_a_reference(stage):
    """The change map is of |C - C_ref|: 0.1 more beside the diagonal is -20 dB there; then a new reference."""
    page = stage.show({"coupling": toeplitz(4)})
    page.get_by_role("button", name="Count changes from now").click()
    assert page.locator("#since").text_content() != "start"
    moved = toeplitz(4) + 0.1 * np.diag(np.ones(3), 1)
    stage.show({"coupling": moved})
    shown = page.evaluate(
        """async ([c, r]) => { const m = await import("/static/js/coupling.js"); return m.quantities(c, r).change; }""",
        [{"re": m.real.tolist(), "im": m.imag.tolist(), "std": None} for m in (moved, toeplitz(4))],
    )
    assert np.diag(shown, 1) == pytest.approx([-20.0] * 3) and np.diag(shown) == pytest.approx([-80.0] * 4)


def test_everything_is_reached_by_the_keyboard(stage):
    """Tab visits the controls in order; the skip link, the switch, menus and the pause work by keys alone."""
    page = stage.page
    page.reload()
    page.wait_for_function("() => ['record', 'reference'].every((id) => !document.getElementById(id).disabled)")
    focus, seen = "() => (({ id, name, textContent }) => id || name || textContent)(document.activeElement)", []
    for _ in range(8 + len(PAGES)):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(focus))
    assert seen == [
        "Skip to the bearings", *(p.name for p in PAGES), "convention", "theme", "pause", "record", "Export",
        "reference", "Matrix as numbers",
    ]  # fmt: skip
    page.locator("input[value=math]").focus()
    page.keyboard.press("ArrowRight")
    assert "clockwise from true north" in page.locator("#convention-note").text_content()
    page.keyboard.press("ArrowLeft")
    page.locator("#pause").focus()
    page.keyboard.press("Space")
    assert page.locator("#pause").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Space")
    page.locator("#export summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#export-png").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#export-png").is_visible()


def test_narrow_pages_do_not_scroll_sideways_and_nothing_overlaps(stage):
    """A phone; and 1280 pixels at 200 % (640 of CSS) and at 400 % (320): WCAG 2.2, 1.4.4 and 1.4.10."""
    page = stage.show(POSTERIOR)
    for width, height in ((360, 740), (640, 450), (320, 256), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("(width) => innerWidth === width", arg=width)
        page.evaluate(LAID_OUT)
        assert page.evaluate(CROWDED) == [[], []], width


def test_elevations_find_room_at_every_width(stage):
    page = stage.show(
        {
            "azimuth_deg": [-130.0, 80.0, 150.0], "std_deg": [12.25, 3.0, 104.25], "power_db": [-10.0, -13.0, -12.0],
            "interval_deg": [[-150.0, -110.0], [75.0, 85.0], [0.0, 300.0]], "elevation_deg": [40.0, -61.25, 87.0],
            "elevation_std_deg": [13.0, 15.0, 12.0], "alike": "elevation folds: " + "above and below " * 8,
        }
    )  # fmt: skip
    page.wait_for_function("() => !document.getElementById('elevation-box').hidden")
    for width in (320, 390, 800, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("(width) => innerWidth === width", arg=width)
        page.evaluate(LAID_OUT)
        overlaps, wide = page.evaluate(CROWDED)
        inside = "() => { const s = document.getElementById('sources'), b = s.parentElement; "
        inside += "return s.getBoundingClientRect().right - b.getBoundingClientRect().right; }"
        assert overlaps == [] and wide == [] and page.evaluate(inside) <= 0, width
