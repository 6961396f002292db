"""A publisher, a dashboard, and a real browser: Debian's Chromium, driven by playwright."""

import os
import shutil
import time

import pytest

from doamc.dashboard.receivers import Receiver
from doamc.estimates import Publisher

from .serving import FREE, Served, estimate, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(autouse=True, scope="session")
def pictures_keep():
    """On a computer that is busy, an estimate may be older than pages show it when a test looks at its numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("doamc.dashboard.bearings_live.SILENT_S", 1e9)
        yield


@pytest.fixture
def publisher():
    with Publisher(FREE, heartbeat_s=0.2) as publisher:
        yield publisher


@pytest.fixture
def served(publisher, tmp_path):
    """A dashboard that reads `publisher` and may record into the folder of the test."""
    with Served([publisher.address], recordings=tmp_path) as served:
        yield served


@pytest.fixture(scope="module")  # its event loop must not run on under other tests
def chromium():
    """The browser; skipped where there is none, but not in continuous integration."""
    if CHROMIUM is None and os.environ.get("CI") != "true":
        pytest.skip("no Chromium on this computer: apt-get install chromium")
    assert CHROMIUM is not None, "continuous integration needs Chromium: apt-get install chromium"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """Pages in contexts of their own. What the console says and whom the pages ask is kept: see `problems`."""

    def __init__(self, browser):
        self._browser, self._contexts = browser, []
        self.problems, self.asked = [], set()
        self.expected = ()  # parts of what the console may say; it may say so as late as the page is closed

    def open(self, url, **options):
        context = self._browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        self._contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.asked.add(request.url))
        page.goto(url)
        return page

    def _on_console(self, message):
        ours = "getImageData" in message.text  # of tests that look at pixels
        if message.type in ("error", "warning") and not ours:
            self.problems.append(message.text)

    def close(self):
        for context in self._contexts:
            context.close()

    def check(self):
        """No error in the console, and nothing asked of another computer."""
        assert [p for p in self.problems if not any(part in p for part in self.expected)] == []
        assert [u for u in self.asked if not u.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:"))] == []


@pytest.fixture
def pages(chromium):
    """pages.open(url) -> page; the test fails when the console told of an error, or a page left this computer."""
    watched = Watched(chromium)
    yield watched
    watched.close()
    watched.check()


class Stage:
    """A publisher, a dashboard and a page that stay up; `show` sends an estimate and waits until the page has it."""

    def __init__(self, publisher, served, page):
        self.publisher, self.served, self.page = publisher, served, page
        self.seq = 1000

    def show(self, *changes, page=None):
        for change in changes:
            self.seq += 1
            self.publisher.estimate(estimate(self.seq, **change))
            time.sleep(0.01)
        shows(page or self.page, "seq", f"estimate {self.seq}")
        return self.page


@pytest.fixture(scope="module")
def stage(chromium, tmp_path_factory):
    """A stage whose receiver's +x axis points east (heading 90), for all tests of a module."""
    watched = Watched(chromium)
    folder = tmp_path_factory.mktemp("recordings")
    with Publisher(FREE, heartbeat_s=0.2) as publisher:
        receiver = Receiver("roof", publisher.address, heading_deg=90.0)
        with Served([], [receiver], recordings=folder) as served:
            page = watched.open(served.url)
            until(lambda: len(served.dashboard.bearings.browsers) > 0)
            served.connected(publisher)
            yield Stage(publisher, served, page)
            watched.close()
    watched.check()


def rows_of(page, table):
    """Texts of the cells of a table by its name, row by row; a minus is a hyphen, a hard space a space."""
    text = page.locator(f"#{table} tbody").inner_text().translate({0x2212: "-", 0xA0: " "})
    return [row.split("\t") for row in text.splitlines()]


def shows(page, element, text):
    """Wait until an element has a text."""
    page.wait_for_function(
        "([id, text]) => document.getElementById(id).textContent === text", arg=[element, text], timeout=60_000
    )
