"""The likelihood, the Metropolis walk and Fisher scoring as compiled loops, for the CPU.

A step of the walk is a few hundred multiplications a chain; as tensor operations nearly all of its time is spent on
calling them. The loops (C, in the folder `loops`) compute what `likelihood`, `metropolis.random_walk`, `fisher`,
`search_modes` and `resample.tempering` do, which stay the reference, run on other devices, and are what the tests
compare with. Here is their binding: every array is checked before its address is handed over.

Coordinates coordinates are [log amplitude (P), flat coupling (F), log noise (0 or 1), azimuth and wrapping coupling].
"""

import ctypes
from collections.abc import Callable
from ctypes import c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from doamc.errors import KernelError

LIBRARY = Path(__file__).with_name("loops.c.so")  #: made by setup.py
INTERFACE = 1  #: of the library; one more with every change of what it takes


class _Model(ctypes.Structure):
    """`struct model` of model.h."""

    _fields_ = [
        *((name, c_int64) for name in (
            "n", "wide", "n_patterns", "n_sources", "n_flat", "n_pairs", "n_box", "size", "even", "hermitian", "normal",
            "unknown_noise", "circle", "amplitude", "flat", "noise", "azimuth", "wrapping", "angle", "phase",
        )),
        ("gap", c_double),
        *((name, c_void_p) for name in ("steer", "mean", "patterns", "low", "high")),
    ]  # fmt: skip


class _Batch(ctypes.Structure):
    """`struct batch` of entries.h."""

    _fields_ = [("size", c_int64), ("chains", c_int64), ("covariance", c_void_p), ("count", c_void_p),
                ("log_noise", c_void_p)]  # fmt: skip


class _Tables(ctypes.Structure):
    """`struct tables` of walk.h."""

    _fields_ = [("steps", c_int64), ("n_leaps", c_int64), ("chains", c_int64), ("normal", c_void_p),
                ("factors", c_void_p), ("log_uniform", c_void_p), ("leaps", c_void_p), ("pairs", c_void_p)]  # fmt: skip


@dataclass(frozen=True)
class Model:
    """Constants of an array and its prior.

    steer: (N, 2) 2 pi x and 2 pi y; even: whether the elements stand evenly on a line, the first at the origin.

    mean (N, J N), patterns (K', N, J N) complex.
    places: first index of amplitude, flat, noise, azimuth, wrapping and correlation coordinates (angles, phases).
    n_pairs: of sources that may be coherent, 0 where none may.
    gap: cosine of the least separation on a circle, else the separation in rad; circle: whether it is one.
    low, high: (d,) of the prior's box, whose first n_box coordinates have walls.
    """

    steer: np.ndarray
    even: bool
    mean: np.ndarray
    patterns: np.ndarray
    hermitian: bool
    normal: bool
    n_sources: int
    n_flat: int
    n_pairs: int
    unknown_noise: bool
    places: tuple[int, int, int, int, int, int, int]
    low: np.ndarray
    high: np.ndarray
    n_box: int
    gap: float
    circle: bool

    @cached_property
    def structure(self) -> _Model:
        """What the library reads; its arrays live as long as this object does.

        Raises: KernelError where arrays do not fit each other.
        """
        n, wide = self.mean.shape
        d, k = len(self.low), len(self.patterns)
        return _Model(
            n, wide, k, self.n_sources, self.n_flat, self.n_pairs, self.n_box, d, self.even, self.hermitian,
            self.normal, self.unknown_noise, self.circle, *self.places, self.gap,
            _address(self.steer, "steer", (n, 2)), _address(self.mean, "mean", (n, wide), np.complex128),
            _address(self.patterns, "patterns", (k, n, wide), np.complex128),
            _address(self.low, "low", (d,)), _address(self.high, "high", (d,)),
        )  # fmt: skip


#: covariance (B, N, N) complex, count (B,) of snapshots, log_noise (B,), which is read where the noise is known
Data = tuple[np.ndarray, np.ndarray, np.ndarray]


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
        self._walk, self._climb, self._tempering = find("walk"), find("climb"), find("tempering")

    def log_posterior(self, model: Model, data: Data, x: np.ndarray, out: np.ndarray) -> None:
        """Log posterior of x (B, d, S) into out (B, S): -inf outside the prior's support."""
        b, d, s = _size(model, x)
        arguments = _address(x, "x", (b, d, s)), _address(out, "out", (b, s), written=True)
        _check(self._log_posterior(*_problem(model, data, b, s), *arguments))

    def information(self, model: Model, data: Data, x: np.ndarray, gradient: np.ndarray, f: np.ndarray) -> None:
        """Gradient (B, S, d) of the log density and Fisher information (B, S, d, d) at x (B, d, S).

        The information includes the precision of the prior's normal part.
        """
        b, d, s = _size(model, x)
        _check(
            self._information(
                *_problem(model, data, b, s), _address(x, "x", (b, d, s)),
                _address(gradient, "gradient", (b, s, d), written=True), _address(f, "f", (b, s, d, d), written=True),
            )
        )  # fmt: skip

    def walk(
        self,
        model: Model,
        data: Data,
        start: np.ndarray,
        end: np.ndarray,
        value: np.ndarray,
        roots: np.ndarray,
        normal: np.ndarray,
        leaps: np.ndarray,
        factors: np.ndarray,
        pairs: np.ndarray,
        log_uniform: np.ndarray,
        kept: np.ndarray,
        accepted: np.ndarray,
    ) -> None:
        """Metropolis walk from start to end (B, d, S); value (B, S), the log posterior, is moved along in place.

        roots (B, S, d, d); normal (T, d, S) increments before them; leaps (T,) int64 index of a leap or -1, with
        factors (leaps,) and pairs (leaps, 2, S) int64: a leap is a factor times the difference of the starts of two
        chains; log_uniform (T, S). kept (B, d, keep, S) takes the last states, accepted (B, S) how many were new.
        """
        b, d, s = _size(model, start)
        steps, n_leaps, keep = len(normal), len(factors), kept.shape[2] if kept.ndim == 4 else -1
        if not 0 <= keep <= steps:
            raise KernelError(f"expected kept of shape (B, d, keep, S) with keep of 0 to {steps}, found {kept.shape}")
        tables = _Tables(
            steps, n_leaps, s, _address(normal, "normal", (steps, d, s)), _address(factors, "factors", (n_leaps,)),
            _address(log_uniform, "log_uniform", (steps, s)), _address(leaps, "leaps", (steps,), np.int64),
            _address(pairs, "pairs", (n_leaps, 2, s), np.int64),
        )  # fmt: skip
        _check(
            self._walk(
                *_problem(model, data, b, s), ctypes.byref(tables), _address(start, "start", (b, d, s)),
                _address(end, "end", (b, d, s), written=True), _address(value, "value", (b, s), written=True),
                _address(roots, "roots", (b, s, d, d)), _address(kept, "kept", (b, d, keep, s), written=True),
                c_int64(keep), _address(accepted, "accepted", (b, s), written=True),
            )
        )  # fmt: skip

    def climb(
        self,
        model: Model,
        data: Data,
        x: np.ndarray,
        value: np.ndarray,
        damping: np.ndarray,
        done: np.ndarray,
        weak: np.ndarray,
        steps: int,
    ) -> None:
        """Levenberg-Marquardt steps in place on climbers x (B, d, G), value, damping and done (bool), each (B, G).

        weak: (d,), added to the diagonal of the information.
        """
        b, d, g = _size(model, x)
        _check(
            self._climb(
                *_problem(model, data, b, g), _address(x, "x", (b, d, g), written=True),
                _address(value, "value", (b, g), written=True), _address(damping, "damping", (b, g), written=True),
                _address(done, "done", (b, g), np.bool_, written=True), _address(weak, "weak", (d,)), c_int64(steps),
            )
        )  # fmt: skip

    def tempering(self, value: np.ndarray, effective: float, most: float, out: np.ndarray) -> None:
        """What `resample.tempering` finds, of value (B, S) into out (B,)."""
        if value.ndim != 2:
            raise KernelError(f"expected value of shape (B, S), found {value.shape}")
        b, s = value.shape
        _check(
            self._tempering(
                c_int64(b), c_int64(s), _address(value, "value", (b, s)), c_double(effective), c_double(most),
                _address(out, "out", (b,), written=True),
            )
        )  # fmt: skip


def open_library(path: Path | None = None) -> tuple[ctypes.CDLL, list[str]]:
    """The library, by default that of this package, and its variants that this processor runs, the best last.

    Raises: OSError where there is none that can be used, and why.
    """
    path = path or LIBRARY
    if not path.is_file():
        raise OSError(f"no {path.name} in {path.parent}")
    library = ctypes.CDLL(str(path))
    expected = 1000 * INTERFACE + ctypes.sizeof(_Model)
    try:
        library.doamc_interface.restype = c_int64
        library.doamc_variants.restype = ctypes.c_char_p
        found, variants = library.doamc_interface(), library.doamc_variants().decode().split()
    except AttributeError as e:
        raise OSError(f"{path.name} is another library: {e}") from None
    if found != expected:
        raise OSError(f"{path.name} was compiled from other sources: expected interface {expected}, found {found}")
    return library, variants


def _size(model: Model, x: np.ndarray) -> tuple[int, int, int]:
    shape = np.shape(x)
    if len(shape) != 3 or shape[1] != len(model.low):
        raise KernelError(f"expected points of shape (B, {len(model.low)}, S), found {shape}")
    return shape[0], shape[1], shape[2]


def _problem(model: Model, data: Data, b: int, s: int) -> tuple[Any, Any]:
    n = len(model.mean)
    covariance, count, log_noise = data
    batch = _Batch(
        b, s, _address(covariance, "covariance", (b, n, n), np.complex128), _address(count, "count", (b,)),
        _address(log_noise, "log_noise", (b,)),
    )  # fmt: skip
    return ctypes.byref(model.structure), ctypes.byref(batch)


def _address(
    x: np.ndarray, name: str, shape: tuple[int, ...], dtype: type = np.float64, written: bool = False
) -> c_void_p:
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


def _check(status: int) -> None:
    if status == 1:
        raise KernelError("no memory left for the posterior's loops; free some, or give fewer chains")
    if status:
        raise KernelError(
            "expected sizes and places inside the arrays, found some beyond; these coordinates cannot be used"
        )
