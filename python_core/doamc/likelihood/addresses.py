"""Addresses of NumPy arrays for compiled code: every array is checked before its address is handed over."""

from ctypes import c_void_p

import numpy as np

from doamc.errors import KernelError


def address(
    x: np.ndarray, name: str, shape: tuple[int, ...], dtype: type = np.float64, written: bool = False
) -> c_void_p:
    """Address of a C-contiguous array of that shape and type, writable where it is written to.

    Raises: KernelError where the array is not what is expected; it has the name in the message.
    """
    if not isinstance(x, np.ndarray):
        raise KernelError(f"expected {name} as a NumPy array, found {type(x).__name__}")
    flags = x.flags
    if x.dtype != dtype or x.shape != shape or not (flags.c_contiguous and flags.aligned):
        layout = "" if flags.c_contiguous else ", not C-contiguous" if flags.aligned else ", not aligned"
        raise KernelError(
            f"expected {name} as C-contiguous {np.dtype(dtype).name} of shape {shape}, "
            f"found {x.dtype.name} of shape {x.shape}{layout}"
        )
    if written and not flags.writeable:
        raise KernelError(f"expected {name} to be writable, found a read-only array")
    return c_void_p(x.ctypes.data)
