"""Packages that only some parts need: what to install where one is missing, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from doamc.errors import DoamcError


@contextmanager
def extra(name: str, error: type[DoamcError]) -> Iterator[None]:
    """Import what an extra of the package brings. Raises an error of this class where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise error(
            f"expected the package {missing.name}, found none; install it: pip install 'gr-doamc[{name}]'"
        ) from missing
