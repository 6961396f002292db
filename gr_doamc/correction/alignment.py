"""The part of `phase_corrector` that collects samples and estimates from them."""

import importlib
from typing import Any

import numpy as np

from doamc.calibration import ChannelCalibration, align_channels
from gr_doamc.runtime.ending_thread import EndingThread


class Alignment:
    """Samples for one alignment at a time, and the estimate made of them.

    Without delays an estimate takes milliseconds and is made in the thread of the stream. Delays need long transforms,
    during which a receiver would lose samples: they are sought in a thread of their own.

    Args:
        n_channels: number of streams N.
        size: samples of an alignment.
        max_lag: delays are sought up to so many samples.
        min_ratio_db: least ratio of the eigenvalues, dB.
    """

    def __init__(self, n_channels: int, size: int, max_lag: int, min_ratio_db: float) -> None:
        if max_lag:
            importlib.import_module("torch")  # imported now, not when the first samples come
        self._samples = np.empty((n_channels, size), np.complex64)
        self._options: dict[str, Any] = {"max_lag": max_lag, "min_ratio_db": min_ratio_db}
        self._left = self._wait = 0
        self._complete = False
        self._thread: EndingThread | None = None
        self._found: ChannelCalibration | Exception | None = None

    @property
    def missing(self) -> int:
        """Samples that are still to come."""
        return self._left

    @property
    def busy(self) -> bool:
        """Whether an estimate is being made."""
        return self._thread is not None

    def begin(self, response: np.ndarray | None, note: str, wait: int = 0) -> None:
        """Collect samples anew, after so many to wait for, to estimate from by a response (N,)."""
        self._options |= {"response": response, "note": note}
        self._left, self._wait, self._complete = self._samples.shape[1], wait, False

    def take(self, inputs: list[np.ndarray], begin: int) -> int:
        """Take in samples of N streams from index ``begin`` on; how many belong together, one at least.

        The estimate, if it is made at once, is of what came before the rest.
        """
        count = len(inputs[0]) - begin
        if self._wait:
            count = min(count, self._wait)
            self._wait -= count
        elif self._left:
            count = min(count, self._left)
            start = self._samples.shape[1] - self._left
            for row, stream in zip(self._samples, inputs, strict=True):
                row[start : start + count] = stream[begin : begin + count]
            self._left -= count
            self._complete = not self._left
        return count

    def result(self) -> ChannelCalibration | Exception | None:
        """What the estimate is or why there is none, once; None while there is nothing new."""
        if self._complete:
            self._complete = False
            if self._options["max_lag"]:
                self._thread = EndingThread(self._estimate, "doamc-alignment", lambda: None)
                self._thread.start()
            else:
                self._estimate()
        found, self._found = self._found, None
        if found is not None:
            self._thread = None
        return found

    def join(self, limit_s: float) -> None:
        """Wait for an estimate that is being made."""
        if self._thread is not None:
            self._thread.join(limit_s)

    def _estimate(self) -> None:
        try:
            self._found = align_channels(self._samples, **self._options)
        except Exception as error:
            self._found = error
