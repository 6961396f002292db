"""The library of compiled loops of the network over waveforms: where it lies, and the structure that it takes."""

import ctypes
from ctypes import c_int64, c_void_p
from pathlib import Path

from doamc.likelihood.library import open_checked
from doamc.likelihood.variant import taken_variant

LIBRARY = Path(__file__).with_name("loops.c.so")  #: made by setup.py
INTERFACE = 1  #: of the library; one more with every change of what it takes


class Net(ctypes.Structure):
    """`struct net` of net.h."""

    _fields_ = [("width", c_int64), ("streams", c_int64), ("context", c_int64), ("blocks", c_int64),
                ("dilations", c_void_p), ("circle", c_void_p), ("weights", c_void_p)]  # fmt: skip


def open_net_loops() -> tuple[ctypes.CDLL, list[str]]:
    """The library and its variants that this processor runs, the best last. Raises OSError where there is none."""
    return open_checked(LIBRARY, 1000 * INTERFACE + ctypes.sizeof(Net))


def net_loops() -> tuple[ctypes.CDLL, str] | None:
    """The library and the variant that is taken, by `taken_variant`; None where tensor operations are."""
    return taken_variant(open_net_loops)
