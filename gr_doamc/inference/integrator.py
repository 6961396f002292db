"""Covariances of slices added up to integrations. No GNU Radio here."""

import math
from collections.abc import Callable

import numpy as np

from doamc.errors import SnapshotError
from doamc.imaging.integration import Integration, check_count
from gr_doamc.inference.slice_queue import Lengths, Slice, Tuning

#: samples of a slice at most: products of single precision are added in it, sums of slices in double
_SLICE = 16384
#: times as many slices as are needed, at most, so that they are equal
_MORE = 8


class Integrator:
    """Takes slices (N, T) of a `slice_sink` and gives every integration of them to a listener.

    integration_s: length, s; rounded up to equal slices, by less than one part in two thousand.
    samples: that have been integrated, or are being; unfinished: of integrations that ended too early, since the
    receiver was tuned anew; made: integrations; failed: those with samples that are no numbers.
    """

    def __init__(
        self, n_elements: int, integration_s: float, array: str, on_made: Callable[[Integration], None],
        on_failure: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        if not 0 < integration_s < math.inf:
            raise SnapshotError(f"expected an integration time > 0 s, found {integration_s}")
        self._n, self._seconds, self._array = n_elements, integration_s, array
        self._on_made, self._on_failure = on_made, on_failure
        self._sum = np.zeros((n_elements, n_elements), np.complex128)
        self._held = self._added = self._gaps = 0
        self.begin()

    def begin(self) -> None:
        """Forget an earlier run."""
        self.samples = self.unfinished = self.made = self.failed = 0
        self._tuning = Tuning(0.0, 0.0, 0, None)
        self._slices, self._seq, self._passed = 1, 0, 0
        self._reset()

    def lengths(self, sample_rate: float) -> Lengths:
        """Lengths of slices at a rate. Raises ImagingError where an integration has fewer samples than elements."""
        samples = round(sample_rate * self._seconds)
        check_count(samples, self._n)
        fewest = math.ceil(samples / _SLICE)
        self._slices = next((k for k in range(fewest, _MORE * fewest) if samples % k == 0), fewest)
        return Lengths(math.ceil(samples / self._slices))

    def tune(self, item: Tuning) -> None:
        """Begin anew at a sample."""
        self.unfinished += self._held
        self._tuning, self._passed = item, 0
        self._reset()

    def put(self, item: Slice) -> None:
        """Add a slice; the last one of an integration makes it known."""
        x = item.samples
        self._sum += x @ x.conj().T
        self._held, self._added, self._gaps = self._held + x.shape[1], self._added + 1, self._gaps + item.lost
        self.samples += x.shape[1]
        if self._added == self._slices:
            self._complete(item.time)

    def _complete(self, now: float) -> None:
        covariance: np.ndarray = self._sum / self._held
        t = self._tuning
        begun = self._passed / t.sample_rate
        seq, self._seq = self._seq, self._seq + 1
        made = Integration(
            covariance, seq, self._held, t.sample / t.sample_rate + begun, t.sample_rate,
            None if t.time is None else t.time + begun, t.frequency_hz or None, self._gaps, self._array, now,
        )  # fmt: skip
        self._passed += self._held
        self._reset()
        if np.isfinite(covariance).all():
            self.made += 1
            self._on_made(made)
        else:
            self.failed += 1
            self._on_failure(SnapshotError(f"samples that are no numbers in integration {seq}, which is left out"))

    def _reset(self) -> None:
        self._sum = np.zeros((self._n, self._n), np.complex128)
        self._held = self._added = self._gaps = 0
