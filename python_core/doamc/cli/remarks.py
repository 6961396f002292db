"""Remarks on stderr, one line each: what a user should know, though the work goes on."""

import sys
from collections.abc import Iterable

from doamc.text import one_line


def tell(sentence: str) -> None:
    """Say something."""
    print(f"doamc: {one_line(sentence)}", file=sys.stderr, flush=True)


def warn(remarks: Iterable[str | None]) -> None:
    """Say those remarks that there are."""
    for remark in remarks:
        if remark:
            tell(f"warning: {remark}")
