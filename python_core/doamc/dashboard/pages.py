"""The pages of the dashboard: a line each, which stands in the navigation of all of them."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

STATIC = Path(__file__).parent / "static"
#: where the navigation goes in the file of a page
_PLACE = "<!-- pages -->"


@dataclass(frozen=True)
class Page:
    """name: in the navigation. path: of its address. file: in `STATIC`."""

    name: str
    path: str
    file: str


PAGES = (
    Page("Bearings", "/", "index.html"),
    Page("Band", "/band", "band.html"),
    Page("Sky", "/sky", "sky.html"),
)


def page_text(page: Page) -> str:
    """HTML of a page, with links to all of them."""
    lines = "".join(
        f'<li><a href="{p.path}"{" aria-current=page" if p is page else ""}>{escape(p.name)}</a></li>' for p in PAGES
    )
    text = (STATIC / page.file).read_text(encoding="utf-8")
    return text.replace(_PLACE, f'<nav id="pages" aria-label="Pages"><ul>{lines}</ul></nav>')
