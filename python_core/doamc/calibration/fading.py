"""A matrix applied to streams, that changes from one to another without a step."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doamc.errors import CalibrationError

#: samples of a piece: it stays in the processor's cache
_PIECE = 8192
#: products of up to so many multiplications OpenBLAS does in the calling thread: its other threads would take cores
#: from the rest of a flowgraph and gain nothing
_PRODUCT = 1 << 15


class FadingMatrix:
    """y(t) = W(t) x(t), with W(t) constant but for cross-fades.

    A fade from W0 to W1 over F samples is W0 + r_k (W1 - W0), r_k = (1 - cos(pi (k + 1) / (F + 1))) / 2, k = 0..F-1,
    then W1: between two samples W moves by at most pi / (2 (F + 1)) of W1 - W0. A fade that is overtaken by another
    one goes on from where it is. F = 0 changes W between two samples.

    Args:
        n_channels: number of streams N; W begins as the unit matrix.
        n_outputs: number of streams that come out, M; None for N.
    """

    def __init__(self, n_channels: int, n_outputs: int | None = None) -> None:
        self._shape = n_outputs or n_channels, n_channels
        self._old = self._new = np.eye(*self._shape, dtype=np.complex64)
        self._ramp: NDArray[np.float32] = np.zeros(0, np.float32)
        self._done = 0
        self._step = max(_PRODUCT // (self._shape[0] * n_channels), 32)
        self._x = np.empty((n_channels, _PIECE), np.complex64)
        self._y = np.empty((self._shape[0], _PIECE), np.complex64)

    @property
    def matrix(self) -> NDArray[np.complex64]:
        """W (M, N) at the sample before the next one."""
        if self._done == len(self._ramp):
            return self._new
        weight = self._ramp[self._done - 1] if self._done else np.float32(0)
        return (self._old + weight * (self._new - self._old)).astype(np.complex64)

    def fade_to(
        self,
        matrix: NDArray[np.complex128],  # shape: (M, N)
        n_samples: int = 0,
    ) -> None:
        """Begin to change W to a matrix at the next sample. Raises CalibrationError unless it is finite and (M, N)."""
        target = np.asarray(matrix).astype(np.complex64)
        if target.shape != self._shape or not np.isfinite(target).all() or n_samples < 0:
            raise CalibrationError(
                f"expected a finite matrix {self._shape[0]} x {self._shape[1]} and n_samples >= 0, "
                f"found {target.shape}, {n_samples}"
            )
        self._old, self._new = self.matrix, target
        k = np.arange(1, n_samples + 1)
        self._ramp, self._done = ((1 - np.cos(np.pi * k / (n_samples + 1))) / 2).astype(np.float32), 0

    def apply(self, inputs: Sequence[NDArray[np.complex64]], outputs: Sequence[NDArray[np.complex64]]) -> None:
        """Write W x: N inputs of n samples each into M outputs of n samples."""
        for start in range(0, len(inputs[0]), _PIECE):
            count = min(_PIECE, len(inputs[0]) - start)
            x, y = self._x[:, :count], self._y[:, :count]
            for row, stream in zip(x, inputs, strict=True):
                row[:] = stream[start : start + count]
            self._multiply(self._new, x, y)
            fading = min(count, len(self._ramp) - self._done)
            if fading:
                left = 1 - self._ramp[self._done : self._done + fading]
                change = np.empty((self._shape[0], fading), np.complex64)
                self._multiply(self._old - self._new, x[:, :fading], change)
                y[:, :fading] += left * change
                self._done += fading
            for row, stream in zip(y, outputs, strict=True):
                stream[start : start + count] = row

    def _multiply(self, matrix: NDArray[np.complex64], x: NDArray[np.complex64], out: NDArray[np.complex64]) -> None:
        for begin in range(0, x.shape[1], self._step):
            part = slice(begin, begin + self._step)
            np.matmul(matrix, x[:, part], out=out[:, part])
