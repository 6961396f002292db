"""Replaying an input in real time: wait until a batch would have been received, estimate it, publish it."""

import time
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.cli.inputs import Input, as_complex128
from doamc.errors import DoamcError, EstimatorError
from doamc.estimates import make_message, status_message
from doamc.estimates.message_values import message_values, received_at
from doamc.estimators.engine import estimate_batch
from doamc.estimators.incident import incident
from doamc.estimators.tuned import TunedEstimator
from doamc.snapshots.batch import make_batch
from doamc.text import reason

DEFAULT_RATE = 10.0


class Publishes(Protocol):
    """Who takes estimates and status messages."""

    def estimate(self, message: dict[str, Any]) -> None:
        """Take an estimate."""

    def status(self, message: dict[str, Any]) -> None:
        """Take a status."""


class Replay:
    """State of a replay: seq (estimates made, the next number), failed (batches that could not be used), error.

    tuned: the estimator by frequency. heading_deg: true bearing of the array's +x axis, None where it is not known.
    place: latitude and longitude, degrees; None for that of the recording. rate: batches a second, or None for the
    input's sample rate, gaps left out (`DEFAULT_RATE` where it has none). It is the pace alone: stream time and date of
    a batch are those of the input, and of one without a sample rate they are not known. Nothing is dropped: where
    estimates take longer than that, the batches wait, and ``latency_ms.buffer`` says for how long.
    """

    def __init__(
        self, tuned: TunedEstimator, source: Input, n_sources: int | None, noise_power: float | None,
        rate: float | None, heading_deg: float | None = None, place: tuple[float, float] | None = None,
    ) -> None:  # fmt: skip
        self.tuned, self.source, self.n_sources, self.noise_power = tuned, source, n_sources, noise_power
        self.heading_deg, self.place = heading_deg, place
        self.seq = self.failed = 0
        self.error: DoamcError | None = None
        batches, _, length = source.shape
        #: stream time that one turn takes, s
        self._span_s = 0.0
        if source.start_s is not None and source.sample_rate_hz is not None:
            self._span_s = float(source.start_s[-1]) + length / source.sample_rate_hz
        if rate is None and source.played_s is not None and source.sample_rate_hz is not None:
            self._received_s = source.played_s + length / source.sample_rate_hz
        else:
            self._received_s = np.arange(1, batches + 1) / (rate or DEFAULT_RATE)

    def run(self, publisher: Publishes, loop: bool = False, count: int | None = None) -> None:
        """Publish the whole input, again and again with `loop`. A batch that cannot be estimated is told as a status.

        count: estimates after which it ends, None: with the input.

        Raises RecordingError or SnapshotError when the input cannot be read on.
        """
        begin = time.monotonic()
        turn = 0
        while True:
            for i, block in enumerate(self.source.blocks(1)):
                received = begin + turn * float(self._received_s[-1]) + float(self._received_s[i])
                time.sleep(max(0.0, received - time.monotonic()))
                before = time.monotonic()
                try:
                    values = self._estimate(i, block)
                    waited, taken = max(0.0, before - received), time.monotonic() - before
                    message = make_message(
                        seq=self.seq, **self._times(turn, i), frequency_hz=self.source.frequency_of(i),
                        snapshots=block.shape[2], dropped_batches=0, heading_deg=self.heading_deg,
                        latency_ms={"buffer": 1e3 * waited, "inference": 1e3 * taken, "total": 1e3 * (waited + taken)},
                        **values, **received_at(self.place or (self.source.places[i] if self.source.places else None)),
                    )  # fmt: skip
                except Exception as error:  # whatever a method does with samples like these: the next may be better
                    self._tell(publisher, i, error)
                    continue
                self.seq += 1  # before it is passed on: a number is never used twice, whatever becomes of its estimate
                publisher.estimate(message)
                if self.seq == count:
                    return
            turn += 1
            if not loop:
                return

    def _estimate(self, i: int, block: NDArray[np.complex64]) -> dict[str, Any]:
        known = self.source.noise_power
        noise = self.noise_power if self.noise_power is not None else None if known is None else float(known[i])
        estimator = self.tuned.at(self.source.frequency_of(i))
        y = torch.from_numpy(as_complex128(block))
        batch = make_batch(y, block.shape[1], noise, i, self.source.channels)
        estimates = estimate_batch(estimator, batch, self.n_sources)
        values = message_values(
            incident(estimator.spec, estimates), calibration=estimator.state(), channels=self.source.channels
        )
        return values | {"array": estimator.spec.name, "method": estimator.name, "alike": estimator.spec.alike}

    def _times(self, turn: int, i: int) -> dict[str, Any]:
        """Stream time of a batch and when it was received, as far as the input tells; else that it is estimated now."""
        start, date = self.source.start_s, self.source.time
        later = turn * self._span_s
        times = {"sample_time": None if start is None else float(start[i]) + later}
        if date is None or not date[i] >= 0:
            return times | {"time": time.time()}
        return times | {"time": float(date[i]) + later, "rx_time": float(date[i]) + later}

    def _tell(self, publisher: Publishes, i: int, error: Exception) -> None:
        self.failed += 1
        if not isinstance(error, DoamcError):
            error = EstimatorError(f"batch {i} cannot be estimated ({reason(error)})")
        self.error = error
        counters = {"made": self.seq, "failed": self.failed}
        publisher.status(
            status_message(time=time.time(), state="error", seq=self.seq - 1, counters=counters, last_error=str(error))
        )
