"""The thread that runs the engine: batches in, newest first, and every one accounted for. No GNU Radio here."""

import threading
import time
from typing import Any, Protocol

import numpy as np

from gr_doamc.inference.batch_queue import BatchQueue
from gr_doamc.runtime.ending_thread import EndingThread
from gr_doamc.runtime.messages import Batch

_HEARTBEAT_S = 1.0


class Infers(Protocol):
    """What the worker needs of an engine."""

    def estimate(self, snapshots: np.ndarray, frequency_hz: float | None) -> dict[str, Any]:
        """`message_values` of snapshots (N, L) received at a centre frequency, Hz (None: not told)."""


class Listener(Protocol):
    """Who is told of estimates and failures; called in the worker's thread, one call at a time."""

    def on_estimate(self, batch: Batch, values: dict[str, Any], latency_ms: dict[str, float], seq: int) -> None:
        """An estimate, with its number."""

    def on_failure(self, error: Exception) -> None:
        """A batch that could not be used."""

    def on_heartbeat(self) -> None:
        """A second has passed."""

    def on_idle(self) -> None:
        """A batch is done with."""


class Worker:
    """Estimates batches in a thread of its own.

    received = estimated + failed + dropped + those waiting or in work, at any time. engine_cpu_s: processor time of
    the thread on batches, s.
    """

    def __init__(self, engine: Infers, listener: Listener, queue_size: int, threads: int) -> None:
        self._engine, self._listener, self._threads = engine, listener, threads
        self._queue: BatchQueue[Batch] = BatchQueue(queue_size)
        self._turn = threading.Lock()  # of the worker and of whoever abandons what it works on
        self._thread = EndingThread(self._run, "doamc-engine", self.close)
        self._abandoned = 0
        self.estimated = self.failed = 0
        self.engine_cpu_s = 0.0

    @property
    def received(self) -> int:
        """Batches that came."""
        return self._queue.received

    @property
    def dropped(self) -> int:
        """Batches that the worker had no time for."""
        return self._queue.dropped + self._abandoned

    @property
    def idle(self) -> bool:
        """Whether every batch that came is done with."""
        return self.received <= self.estimated + self.failed + self.dropped

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand over a batch; when the queue is full, the oldest in it is dropped."""
        self._queue.put(batch)

    def close(self) -> None:
        """Drop what waits and take no more; what is in work is finished."""
        self._queue.close()

    def abandon(self) -> None:
        """Drop what is in work, too: nothing comes of it any more."""
        with self._turn:
            self._queue.close()
            self._abandoned = self._queue.taken - self.estimated - self.failed

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end after `close`."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        import torch

        torch.set_num_threads(self._threads)
        beat = time.monotonic()
        while not self._queue.closed:
            batch = self._queue.take(_HEARTBEAT_S)
            if batch is not None:
                self._settle(batch)
            if time.monotonic() >= beat + _HEARTBEAT_S:
                beat = time.monotonic()
                self._listener.on_heartbeat()

    def _settle(self, batch: Batch) -> None:
        cpu, begin = time.thread_time(), time.time()
        try:
            outcome: dict[str, Any] | Exception = self._engine.estimate(batch.snapshots, batch.frequency_hz)
        except Exception as error:
            outcome = error
        end = time.time()
        waited = max(0.0, begin - batch.time) if batch.time else 0.0
        latency = {"buffer": 1e3 * waited, "inference": 1e3 * (end - begin), "total": 1e3 * (waited + end - begin)}
        with self._turn:
            if self._abandoned:  # counted as dropped meanwhile
                return
            try:
                if isinstance(outcome, Exception):
                    raise outcome
                self._listener.on_estimate(batch, outcome, latency, self.estimated)
                self.estimated += 1
            except Exception as error:
                self.failed += 1
                self._listener.on_failure(error)
            self.engine_cpu_s += time.thread_time() - cpu
        self._listener.on_idle()
