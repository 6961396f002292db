"""The likelihood, Metropolis chains and mode search as compiled loops, for the CPU.

A step of a chain is a few hundred multiplications; as tensor operations nearly all of its time is spent on calling
them. The loops (C, in the folder `loops`) compute what `ExactPosterior.log_posterior`, `fisher`, `mode_search`,
`metropolis` and `tempering` do, which stay the reference, run on other devices, and are what the tests compare with.
Here is their binding: every array is checked before its address is handed over.
"""

import ctypes
from collections.abc import Callable
from ctypes import c_double, c_int64, c_void_p
from typing import Any

import numpy as np

from doamc.errors import KernelError
from doamc.likelihood.addresses import address
from doamc.likelihood.chain_arrays import ChainArrays, ChainTables
from doamc.likelihood.model import Model

#: covariance (B, N, N) complex, count (B,) of snapshots, log_noise (B,), which is read where the noise is known
Data = tuple[np.ndarray, np.ndarray, np.ndarray]


class _Batch(ctypes.Structure):
    """`struct batch` of entries.h."""

    _fields_ = [("size", c_int64), ("chains", c_int64), ("covariance", c_void_p), ("count", c_void_p),
                ("log_noise", c_void_p)]  # fmt: skip


class Kernels:
    """The loops of one variant of the library. All arrays are C-contiguous float64 where nothing else is said.

    Every function raises KernelError where an array is not what it says, or memory runs out.
    """

    def __init__(self, library: ctypes.CDLL, variant: str) -> None:
        def find(name: str) -> Callable[..., int]:
            function = library[f"doamc_{name}_{variant}"]
            function.restype = ctypes.c_int
            return function

        self.variant = variant
        self._log_posterior, self._information = find("log_posterior"), find("information")
        self._run_chains, self._search_modes = find("run_chains"), find("search_modes")
        self._tempering, self._descent = find("tempering"), find("descent")
        #: bound in `estimator_loops` and `sample_loops`
        self.minima, self.music, self.residual = find("minima"), find("music"), find("residual")
        self.powers, self.reported, self.look = find("powers"), find("reported"), find("look")

    def log_posterior(self, model: Model, data: Data, x: np.ndarray, out: np.ndarray) -> None:
        """Log posterior of x (B, d, S) into out (B, S): -inf outside the prior's support."""
        b, d, s = _size(model, x)
        arguments = address(x, "x", (b, d, s)), address(out, "out", (b, s), written=True)
        check_status(self._log_posterior(*_problem(model, data, b, s), *arguments))

    def information(self, model: Model, data: Data, x: np.ndarray, gradient: np.ndarray, f: np.ndarray) -> None:
        """Gradient (B, S, d) of the log density and Fisher information (B, S, d, d) at x (B, d, S).

        The information includes the precision of the prior's normal part.
        """
        b, d, s = _size(model, x)
        check_status(
            self._information(
                *_problem(model, data, b, s), address(x, "x", (b, d, s)),
                address(gradient, "gradient", (b, s, d), written=True), address(f, "f", (b, s, d, d), written=True),
            )
        )  # fmt: skip

    def descent(
        self, model: Model, data: Data, item: np.ndarray, x: np.ndarray, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Minus the log density (M,), infinite where there is none, its gradient (M, d) and the information (M, d, d).

        Of points x (M, d), which times scale (d,) are what the model takes, of observations item (M,) int64. Points of
        one observation in turn are computed together.
        """
        points, d = x.shape
        found = np.empty(points), np.empty((points, d)), np.empty((points, d, d))
        places = (
            address(item, "item", (points,), np.int64), address(x, "x", (points, len(model.low))),
            address(scale, "scale", (d,)), *(c_void_p(out.ctypes.data) for out in found),
        )  # fmt: skip
        check_status(self._descent(*_problem(model, data, len(data[1]), points), c_int64(points), *places))
        return found

    def run_chains(self, model: Model, data: Data, tables: ChainTables, chains: ChainArrays) -> None:
        """Take all steps of the tables with all chains."""
        b, d, s = _size(model, chains.start)
        read, written = tables.structure(d, s), chains.structure(b, d, s, len(tables.normal))
        check_status(self._run_chains(*_problem(model, data, b, s), ctypes.byref(read), ctypes.byref(written)))

    def search_modes(
        self,
        model: Model,
        data: Data,
        x: np.ndarray,
        value: np.ndarray,
        damping: np.ndarray,
        done: np.ndarray,
        ridge: np.ndarray,
        steps: int,
    ) -> None:
        """Levenberg-Marquardt steps in place on points x (B, d, G), value, damping and done (bool), each (B, G).

        ridge: (d,), added to the diagonal of the information.
        """
        b, d, g = _size(model, x)
        check_status(
            self._search_modes(
                *_problem(model, data, b, g), address(x, "x", (b, d, g), written=True),
                address(value, "value", (b, g), written=True), address(damping, "damping", (b, g), written=True),
                address(done, "done", (b, g), np.bool_, written=True), address(ridge, "ridge", (d,)), c_int64(steps),
            )
        )  # fmt: skip

    def tempering(self, value: np.ndarray, effective: float, most: float, out: np.ndarray) -> None:
        """What `tempering.tempering` finds, of value (B, S) into out (B,)."""
        if value.ndim != 2:
            raise KernelError(f"expected value of shape (B, S), found {value.shape}")
        b, s = value.shape
        check_status(
            self._tempering(
                c_int64(b), c_int64(s), address(value, "value", (b, s)), c_double(effective), c_double(most),
                address(out, "out", (b,), written=True),
            )
        )  # fmt: skip


def _size(model: Model, x: np.ndarray) -> tuple[int, int, int]:
    shape = np.shape(x)
    if len(shape) != 3 or shape[1] != len(model.low):
        raise KernelError(f"expected points of shape (B, {len(model.low)}, S), found {shape}")
    return shape[0], shape[1], shape[2]


def _problem(model: Model, data: Data, b: int, s: int) -> tuple[Any, Any]:
    n = len(model.mean)
    covariance, count, log_noise = data
    batch = _Batch(
        b, s, address(covariance, "covariance", (b, n, n), np.complex128), address(count, "count", (b,)),
        address(log_noise, "log_noise", (b,)),
    )  # fmt: skip
    return ctypes.byref(model.structure), ctypes.byref(batch)


def check_status(status: int) -> None:
    """Raise KernelError unless a function of the library says that it is done."""
    if status == 1:
        raise KernelError("no memory left for the posterior's loops; free some, or give fewer chains")
    if status:
        raise KernelError(
            "expected sizes and places inside the arrays, found some beyond; these coordinates cannot be used"
        )
