"""A publisher, a dashboard, and a real browser: Debian's Chromium, driven by playwright."""

import os
import shutil
import time

import pytest

from doamc.estimates import Publisher

from .serving import FREE, Served, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def publisher():
    with Publisher(FREE, heartbeat_s=0.2) as publisher:
        yield publisher


@pytest.fixture
def served(publisher, tmp_path):
    """A dashboard that reads `publisher` and may record into the folder of the test."""
    with Served([publisher.address], recordings=tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
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

    def open(self, url, **options):
        context = self._browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.asked.add(request.url))
        page.goto(url)
        return page

    def close(self):
        for context in self._contexts:
            context.close()


@pytest.fixture
def pages(chromium):
    """pages.open(url) -> page; the test fails when the console told of an error, or a page left this computer."""
    watched = Watched(chromium)
    yield watched
    watched.close()
    assert watched.problems == []
    assert [u for u in watched.asked if not u.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:"))] == []


@pytest.fixture
def live(pages, served, publisher):
    """live(*estimates) -> a page that shows the last of them."""

    def show(*estimates, **options):
        page = pages.open(served.url, **options)
        until(lambda: len(served.dashboard.clients) > 0)
        served.connected(publisher)
        for message in estimates:
            publisher.estimate(message)
            time.sleep(0.02)
        if estimates:
            shows(page, "seq", f"estimate {estimates[-1]['seq']}")
        return page

    return show


def shows(page, element, text):
    """Wait until an element has a text."""
    page.wait_for_function(
        "([id, text]) => document.getElementById(id).textContent === text", arg=[element, text], timeout=10_000
    )
