"""Every page of the dashboard leads to all of them."""

import re

import pytest

from doamc.dashboard.pages import PAGES, STATIC, page_text
from tests.doamc.web.serving import get


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_all_pages_and_says_which_it_is(page, served):
    status, _, body = get(served.url + page.path[1:])
    text = body.decode()
    assert status == 200 and text == page_text(page)
    links = re.findall(r'<li><a href="([^"]*)"( aria-current=page)?>([^<]*)</a></li>', text)
    assert links == [(p.path, " aria-current=page" if p is page else "", p.name) for p in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_that_a_page_loads_is_there(page):
    for name in re.findall(r'(?:src|href)="/static/([^"]+)"', page_text(page)):
        assert (STATIC / name).is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_part_of_a_page_has_its_place(page):
    parts = re.findall(r"<!-- part: (\w+) -->", (STATIC / page.file).read_text())
    assert set(parts) <= set(re.findall(r"<!-- part: (\w+) -->", (STATIC / "page.html").read_text()))
    assert "<!--" not in page_text(page) and f"<title>gr-doamc: {page.title}</title>" in page_text(page)
