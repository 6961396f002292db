"""The library of compiled loops: where it lies, and whether it is the one that this Python code was written for."""

import ctypes
from ctypes import c_int64
from pathlib import Path

from doamc.likelihood.model import ModelStructure

LIBRARY = Path(__file__).with_name("loops.c.so")  #: made by setup.py
INTERFACE = 5  #: of the library; one more with every change of what it takes


def open_library(path: Path | None = None) -> tuple[ctypes.CDLL, list[str]]:
    """The library, by default that of this package, and its variants that this processor runs, the best last.

    Raises: OSError where there is none that can be used, and why.
    """
    return open_checked(path or LIBRARY, 1000 * INTERFACE + ctypes.sizeof(ModelStructure))


def open_checked(path: Path, expected: int) -> tuple[ctypes.CDLL, list[str]]:
    """A library of compiled loops and its variants; expected: what its interface says. Raises as `open_library`."""
    if not path.is_file():
        raise OSError(f"no {path.name} in {path.parent}")
    library = ctypes.CDLL(str(path))
    try:
        library.doamc_interface.restype = c_int64
        library.doamc_variants.restype = ctypes.c_char_p
        found, variants = library.doamc_interface(), library.doamc_variants().decode().split()
    except AttributeError as e:
        raise OSError(f"{path.name} is another library: {e}") from None
    if found != expected:
        raise OSError(f"{path.name} was compiled from other sources: expected interface {expected}, found {found}")
    return library, variants
