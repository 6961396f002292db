"""What computes the posterior's inner loops: the compiled library on the CPU, tensor operations elsewhere.

Environment: DOAMC_LOOPS=tensors keeps to tensor operations; a variant's name (plain, avx2, avx512) keeps to that one.
"""

import os
import warnings
from functools import cache
from typing import TYPE_CHECKING

from doamc.errors import KernelError, SlowWarning

if TYPE_CHECKING:
    import torch

    from doamc.likelihood.kernels import Kernels


def loops_for(device: "torch.device") -> "Kernels | None":
    """The compiled loops where they work on this device, else None: tensor operations do.

    Raises: KernelError where DOAMC_LOOPS names what is not there.
    Warns: SlowWarning once a process where the library is missing.
    """
    if device.type != "cpu":
        return None
    found = _compiled(os.environ.get("DOAMC_LOOPS", ""))
    if isinstance(found, str):
        _tell(found)
        return None
    return found


@cache
def _compiled(wanted: str) -> "Kernels | str | None":
    """The loops; None where they are not wanted; why there are none."""
    if wanted == "tensors":
        return None
    from doamc.likelihood.kernels import Kernels, open_library

    try:
        library, variants = open_library()
    except OSError as e:
        if wanted:
            raise KernelError(f"expected the compiled loops DOAMC_LOOPS={wanted}, found none: {e}") from None
        return str(e)
    if wanted and wanted not in variants:
        raise KernelError(f"expected DOAMC_LOOPS to be one of tensors, {', '.join(variants)}, found {wanted!r}")
    return Kernels(library, wanted or variants[-1])


_told: list[str] = []  # what was said, so that it is said once, even where warnings are errors


def _tell(reason: str) -> None:
    if not _told:
        _told.append(reason)
        message = (
            f"compiled loops are missing ({reason}): estimates take three times as long; "
            "install a C compiler (gcc) and this package again"
        )
        warnings.warn_explicit(message, SlowWarning, "doamc", 1)  # of no line of the caller's: one line on stderr
