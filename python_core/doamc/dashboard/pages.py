"""The pages of the dashboard: a line each, which stands in the navigation of all of them."""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

STATIC = Path(__file__).parent / "static"
#: what all pages share, with a line for each part that a page fills or leaves empty
_SHELL = "page.html"
_PART = re.compile(r"^<!-- part: (\w+) -->\n", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """name: in the navigation. path: of its address. file: of its parts, in `STATIC`. title, main: in words."""

    name: str
    path: str
    file: str
    title: str
    main: str


PAGES = (
    Page("Bearings", "/", "index.html", "directions and coupling, live", "the bearings"),
    Page("Band", "/band", "band.html", "every signal of the band, live", "the signals"),
    Page("Sky", "/sky", "sky.html", "the sky, live", "the image"),
)


def page_text(page: Page) -> str:
    """HTML of a page: its parts in what all pages share, with links to all of them."""
    links = "".join(
        f'<li><a href="{p.path}"{" aria-current=page" if p is page else ""}>{escape(p.name)}</a></li>' for p in PAGES
    )
    pieces = _PART.split((STATIC / page.file).read_text(encoding="utf-8"))
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    text = _PART.sub(lambda place: parts.get(place[1], ""), (STATIC / _SHELL).read_text(encoding="utf-8"))
    for place, words in (("title", page.title), ("skip", page.main), ("links", links)):
        text = text.replace(f"<!-- {place} -->", words)
    return text
