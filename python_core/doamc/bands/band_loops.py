"""The library of compiled loops of bands: where it lies, and what it holds."""

import ctypes
from ctypes import c_double, c_int64, c_void_p
from pathlib import Path

import numpy as np

from doamc.likelihood.addresses import address
from doamc.likelihood.library import open_checked
from doamc.likelihood.variant import taken_variant

LIBRARY = Path(__file__).with_name("loops.c.so")  #: made by setup.py
INTERFACE = 2  #: of the library; one more with every change of what it takes
MOST_CHANNELS = 128  #: of matrices that `exceeds` takes


class Band(ctypes.Structure):
    """`struct band` of spectra.h."""

    _fields_ = [("channels", c_int64), ("n_fft", c_int64), ("stride", c_int64), ("n_passes", c_int64),
                ("passes", c_void_p), ("samples", c_void_p), ("offset", c_void_p), ("window", c_void_p),
                ("place", c_void_p), ("order", c_void_p)]  # fmt: skip


def open_band_loops() -> tuple[ctypes.CDLL, list[str]]:
    """The library and its variants that this processor runs, the best last. Raises OSError where there is none."""
    return open_checked(LIBRARY, 1000 * INTERFACE + ctypes.sizeof(Band))


def band_loops() -> tuple[ctypes.CDLL, str] | None:
    """The library and the variant that is taken, by `taken_variant`; None where tensor operations are."""
    return taken_variant(open_band_loops)


def exceeds_by_loops(matrices: np.ndarray, value: float) -> np.ndarray | None:
    """Whether the largest eigenvalue of matrices (K, N, N) complex128 is above a value, (K,); None without loops."""
    found = band_loops()
    count, n = matrices.shape[:2]
    if found is None or n > MOST_CHANNELS:
        return None
    out = np.empty(count, np.bool_)
    matrices = np.ascontiguousarray(matrices)
    found[0].doamc_exceeds(
        c_int64(count), c_int64(n), address(matrices, "matrices", (count, n, n), np.complex128), c_double(value),
        address(out, "out", (count,), np.bool_, written=True),
    )  # fmt: skip
    return out
