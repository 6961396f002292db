"""What the compiled Metropolis chains read and write, as loops/chains.h has it."""

import ctypes
from ctypes import c_int64, c_void_p
from typing import NamedTuple

import numpy as np

from doamc.errors import KernelError
from doamc.likelihood.addresses import address


class TablesStructure(ctypes.Structure):
    """`struct tables` of chains.h."""

    _fields_ = [
        *((name, c_int64) for name in ("steps", "n_differences", "chains")),
        *((name, c_void_p) for name in ("normal", "scale", "log_uniform", "difference", "pairs")),
    ]


class ChainsStructure(ctypes.Structure):
    """`struct chains` of chains.h."""

    _fields_ = [
        ("keep", c_int64),
        *((name, c_void_p) for name in ("start", "end", "value", "factors", "kept", "accepted")),
    ]


class ChainTables(NamedTuple):
    """Random numbers of T steps of S chains that all observations share: `metropolis.MoveTables` as NumPy arrays.

    normal (T, d, S), difference (T,) int64, scale (M,), pairs (M, 2, S) int64, log_uniform (T, S).
    """

    normal: np.ndarray
    difference: np.ndarray
    scale: np.ndarray
    pairs: np.ndarray
    log_uniform: np.ndarray

    def structure(self, d: int, s: int) -> TablesStructure:
        """What the library reads. Raises: KernelError where an array does not fit."""
        steps, moves = len(self.normal), len(self.scale)
        return TablesStructure(
            steps, moves, s, address(self.normal, "normal", (steps, d, s)), address(self.scale, "scale", (moves,)),
            address(self.log_uniform, "log_uniform", (steps, s)),
            address(self.difference, "difference", (steps,), np.int64),
            address(self.pairs, "pairs", (moves, 2, s), np.int64),
        )  # fmt: skip


class ChainArrays(NamedTuple):
    """Where the chains of B observations are, and what they write.

    start, end (B, d, S); value (B, S), the log posterior, is moved along in place; factors (B, S, d, d) of the
    covariances of proposals. kept (B, d, keep, S) takes the states of the last steps, accepted (B, S) how many of these
    were new.
    """

    start: np.ndarray
    end: np.ndarray
    value: np.ndarray
    factors: np.ndarray
    kept: np.ndarray
    accepted: np.ndarray

    def structure(self, b: int, d: int, s: int, steps: int) -> ChainsStructure:
        """What the library reads. Raises: KernelError where an array does not fit."""
        keep = self.kept.shape[2] if self.kept.ndim == 4 else -1
        if not 0 <= keep <= steps:
            found = self.kept.shape
            raise KernelError(f"expected kept of shape (B, d, keep, S) with keep of 0 to {steps}, found {found}")
        return ChainsStructure(
            keep, address(self.start, "start", (b, d, s)), address(self.end, "end", (b, d, s), written=True),
            address(self.value, "value", (b, s), written=True), address(self.factors, "factors", (b, s, d, d)),
            address(self.kept, "kept", (b, d, keep, s), written=True),
            address(self.accepted, "accepted", (b, s), written=True),
        )  # fmt: skip
