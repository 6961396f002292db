"""Whatever a docstring cites by a short name stands in docs/references.md, and names no paper without one."""

import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "references.md"
NAME = re.compile(r"\[([A-Z][a-z]+(?:-[A-Z]?[A-Za-z]+)*(?: (?:19|20)\d\d)?)\]")
SOURCES = sorted(p for room in ("python_core/doamc", "gr_doamc") for p in (ROOT / room).rglob("*.py"))
#: words for a paper that say nothing to who does not know which
NAMELESS = re.compile(r"source paper|the tutorial\b|the lecture\b|the draft\b")


def prose(path: Path) -> str:
    """Docstrings and comments of a file."""
    with tokenize.open(path) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    kept = (t.string for t in tokens if t.type == tokenize.COMMENT or t.string.startswith('"""'))
    return "\n".join(kept)


def cited() -> set[str]:
    """Short names in the prose of the product."""
    return {name for path in SOURCES for name in NAME.findall(prose(path))}


def test_what_is_cited_has_a_reference():
    listed = re.findall(r"^\| \[([^\]]+)\] \|", PAGE.read_text(), re.M)
    assert cited() <= set(listed) and "Luo-Fung" in cited()


def test_a_short_name_stands_for_one_reference():
    listed = re.findall(r'^\| \[([^\]]+)\] \| [^|]*"', PAGE.read_text(), re.M)
    assert len(listed) == len(set(listed)) > 50


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_paper_is_cited_without_its_name(path):
    assert not NAMELESS.search(path.read_text())


def test_files_named_beside_errata_exist():
    table = PAGE.read_text().split("### Errata")[1].split("\n## ")[0]
    named = [p for p in re.findall(r"`([\w/]+\.py)`", table) if "/" in p]
    assert len(named) > 10 and all((ROOT / "python_core" / "doamc" / p).is_file() for p in named)
