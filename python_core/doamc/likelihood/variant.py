"""Which variant of a library of compiled loops is taken: one policy for all such libraries.

Environment: DOAMC_LOOPS=tensors keeps to tensor operations; a variant's name (plain, avx2, avx512) keeps to that one.
"""

import ctypes
import os
import warnings
from collections.abc import Callable
from functools import cache

from doamc.errors import KernelError, SlowWarning

#: opens a library: it, and its variants that this processor runs, the best last; raises OSError where there is none
Opens = Callable[[], tuple[ctypes.CDLL, list[str]]]


def taken_variant(opens: Opens) -> tuple[ctypes.CDLL, str] | None:
    """The library and the variant that is taken, the best or the one asked for; None where tensor operations are.

    Raises: KernelError where DOAMC_LOOPS names what is not there.
    Warns: SlowWarning once a process where a library is missing.
    """
    found = _taken(opens, os.environ.get("DOAMC_LOOPS", ""))
    if isinstance(found, str):
        _tell(found)
        return None
    return found


@cache
def _taken(opens: Opens, wanted: str) -> tuple[ctypes.CDLL, str] | str | None:
    """The library and its variant; None where they are not wanted; why there are none."""
    if wanted == "tensors":
        return None
    try:
        library, variants = opens()
    except OSError as e:
        if wanted:
            raise KernelError(f"expected the compiled loops DOAMC_LOOPS={wanted}, found none: {e}") from None
        return str(e)
    if wanted and wanted not in variants:
        raise KernelError(f"expected DOAMC_LOOPS to be one of tensors, {', '.join(variants)}, found {wanted!r}")
    return library, wanted or variants[-1]


_told: list[str] = []  # what was said, so that it is said once, even where warnings are errors


def _tell(reason: str) -> None:
    if not _told:
        _told.append(reason)
        message = (
            f"compiled loops are missing ({reason}): estimates take three times as long, spectra of bands eight times; "
            "install a C compiler (gcc) and this package again"
        )
        warnings.warn_explicit(message, SlowWarning, "doamc", 1)  # of no line of the caller's: one line on stderr
