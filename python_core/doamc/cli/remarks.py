"""What a user should know but need not stop for: one line each on stderr."""

import sys
from collections.abc import Iterable


def tell(remarks: Iterable[str | None]) -> None:
    """Print those that there are."""
    for remark in remarks:
        if remark:
            print(f"doamc: warning: {' '.join(remark.split())}", file=sys.stderr)
