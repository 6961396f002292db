"""Replaying an input in real time: wait until a batch would have been received, estimate it, publish it."""

import time
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.cli.inputs import Input, as_complex128
from doamc.errors import DoamcError
from doamc.estimates import make_message, status_message
from doamc.estimates.figures import message_figures
from doamc.estimators.engine import estimate_batch
from doamc.estimators.tuned import TunedEstimator
from doamc.snapshots.batch import make_batch

DEFAULT_RATE = 10.0


class Publishes(Protocol):
    """Who takes estimates and status messages."""

    def estimate(self, message: dict[str, Any]) -> None:
        """Take an estimate."""

    def status(self, message: dict[str, Any]) -> None:
        """Take a status."""


class Replay:
    """State of a replay: seq (estimates made, the next number), failed (batches that could not be used), error.

    rate: batches a second, or None for the input's sample rate (`DEFAULT_RATE` where it has none). Nothing is dropped:
    where estimates take longer than that, the batches wait, and ``latency_ms.buffer`` says for how long.
    """

    def __init__(
        self, tuned: TunedEstimator, source: Input, n_sources: int | None, noise_power: float | None,
        rate: float | None,
    ) -> None:  # fmt: skip
        self.tuned, self.source, self.n_sources, self.noise_power = tuned, source, n_sources, noise_power
        self.seq = self.failed = 0
        self.error: DoamcError | None = None
        batches, _, length = source.shape
        if rate is None and source.start_s is not None and source.sample_rate_hz is not None:
            self._starts, self._length_s = source.start_s, length / source.sample_rate_hz
        else:
            self._length_s = 1.0 / (rate or DEFAULT_RATE)
            self._starts = self._length_s * np.arange(batches)

    def run(self, publisher: Publishes, loop: bool = False) -> None:
        """Publish the whole input, again and again with `loop`."""
        begin = time.monotonic()
        turn = 0.0
        while True:
            for i, block in enumerate(self.source.blocks(1)):
                start = turn + float(self._starts[i])
                received = begin + start + self._length_s
                time.sleep(max(0.0, received - time.monotonic()))
                try:
                    self._estimate(publisher, i, block, start, received)
                except DoamcError as error:
                    self.failed, self.error = self.failed + 1, error
                    counters = {"made": self.seq, "failed": self.failed}
                    publisher.status(
                        status_message(time=time.time(), state="error", seq=self.seq - 1, counters=counters,
                                       last_error=str(error))
                    )  # fmt: skip
            turn += float(self._starts[-1]) + self._length_s
            if not loop:
                return

    def _estimate(
        self, publisher: Publishes, i: int, block: NDArray[np.complex64], start: float, received: float
    ) -> None:
        known = self.source.noise_power
        noise = self.noise_power if self.noise_power is not None else None if known is None else float(known[i])
        frequency_hz = self.source.frequency_of(i)
        before = time.monotonic()
        estimator = self.tuned.at(frequency_hz)
        batch = make_batch(torch.from_numpy(as_complex128(block)), block.shape[1], noise, first=i)
        estimates = estimate_batch(estimator, batch, self.n_sources)
        after = time.monotonic()
        publisher.estimate(
            make_message(
                seq=self.seq,
                time=time.time(),
                sample_time=start,
                frequency_hz=frequency_hz,
                array=estimator.spec.name,
                method=estimator.name,
                **message_figures(estimates, calibration=estimator.state()),
                snapshots=block.shape[2],
                latency_ms={
                    "buffer": 1e3 * max(0.0, before - received),
                    "inference": 1e3 * (after - before),
                    "total": 1e3 * (max(0.0, before - received) + after - before),
                },
                dropped_batches=0,
            )
        )
        self.seq += 1
