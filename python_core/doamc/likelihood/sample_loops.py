"""The look at the samples of a batch by the compiled loops: every sample is read once, in one call.

`snapshots.look` says what is found and why; its `look_by_numpy` is the reference.
"""

from ctypes import c_double, c_int64, c_void_p

import numpy as np

from doamc.likelihood.addresses import address
from doamc.likelihood.kernels import Kernels, check_status
from doamc.snapshots.correlation import SIGNIFICANT
from doamc.snapshots.look import Look, calm_part, sample_step


def look(kernels: Kernels, samples: np.ndarray, values: np.ndarray, vectors: np.ndarray) -> Look:
    """The look at samples (B, N, L) complex128; of their covariance eigenvalues (B, N), ascending, and eigenvectors.

    Memory: what it returns, and a few hundred samples of every channel. Raises KernelError where arrays do not fit.
    """
    b, n, length = samples.shape
    y, u = np.ascontiguousarray(samples), np.ascontiguousarray(vectors)
    lag, figures, verdicts = np.empty((b, n, n), np.complex128), np.empty((b, 4)), np.empty((b, 2), np.bool_)
    check_status(
        kernels.look(
            c_int64(b), c_int64(n), c_int64(length), address(y, "samples", (b, n, length), np.complex128),
            address(values, "values", (b, n)), address(u, "vectors", (b, n, n), np.complex128),
            c_int64(sample_step(length)), c_double(calm_part(n, length)), c_double(SIGNIFICANT / length),
            *(c_void_p(x.ctypes.data) for x in (lag, figures, verdicts)),
        )
    )  # fmt: skip
    return Look(lag, *figures.T, *verdicts.T)
