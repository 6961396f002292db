"""Gains and delays applied to streams, block by block."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doamc.errors import CalibrationError

_CHUNK = 16384


class Aligner:
    """y_m(t) = w_m x_m(t - d_m), with weights and delays that change at a sample boundary.

    The past that delays reach back to is kept from the first sample on (zeros before it), so that a change of delays
    takes effect at once: no sample is lost or made, y(t) merely shows another x from then on.

    Args:
        n_channels: number of streams N.
        max_delay: largest delay in samples; 0 keeps no past.

    Raises CalibrationError when an argument or a delay is out of range.
    """

    def __init__(self, n_channels: int, max_delay: int = 0) -> None:
        if n_channels < 1 or max_delay < 0:
            raise CalibrationError(f"expected n_channels >= 1 and max_delay >= 0, found {n_channels} and {max_delay}")
        self._max = max_delay
        size = 1 << (max_delay + _CHUNK - 1).bit_length() if max_delay else 0
        self._past, self._position = np.zeros((n_channels, size), np.complex64), 0
        self._weights: NDArray[np.complex64] = np.ones(n_channels, np.complex64)
        self._delays: NDArray[np.int64] = np.zeros(n_channels, np.int64)

    def set(self, weights: NDArray[np.complex128], delays: NDArray[np.int64]) -> None:
        """Use weights (N,) and delays (N,), in samples, from the next sample on."""
        if len(weights) != len(self._weights) or len(delays) != len(self._weights):
            raise CalibrationError(f"expected {len(self._weights)} weights and delays, found {len(weights)}")
        if not (np.isfinite(weights).all() and np.min(delays) >= 0 and np.max(delays) <= self._max):
            raise CalibrationError(
                f"expected finite weights and delays of 0 to {self._max} samples, found {weights} and {delays}"
            )
        self._weights, self._delays = np.asarray(weights).astype(np.complex64), np.asarray(delays, np.int64)

    def apply(self, inputs: Sequence[NDArray[np.complex64]], outputs: Sequence[NDArray[np.complex64]]) -> None:
        """Write the aligned streams: N inputs of n samples each into as many outputs of n samples."""
        if not self._max:
            for x, y, weight in zip(inputs, outputs, self._weights, strict=True):
                np.multiply(x, weight, out=y)
            return
        for start in range(0, len(inputs[0]), _CHUNK):
            stop = min(start + _CHUNK, len(inputs[0]))
            self._chunk([x[start:stop] for x in inputs], [y[start:stop] for y in outputs])

    def _chunk(self, inputs: list[NDArray[np.complex64]], outputs: list[NDArray[np.complex64]]) -> None:
        count, size, here = len(inputs[0]), self._past.shape[1], self._position
        for past, x, y, weight, delay in zip(self._past, inputs, outputs, self._weights, self._delays, strict=True):
            first = min(count, size - here)
            past[here : here + first], past[: count - first] = x[:first], x[first:]
            begin = (here - int(delay)) % size
            first = min(count, size - begin)
            np.multiply(past[begin : begin + first], weight, out=y[:first])
            np.multiply(past[: count - first], weight, out=y[first:])
        self._position = (here + count) % size
