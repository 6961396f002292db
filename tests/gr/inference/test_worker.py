"""The worker's thread: newest first, every batch accounted for, and failures told. No GNU Radio here."""

import threading

import numpy as np
from gr_doamc.inference.worker import Worker
from gr_doamc.runtime.messages import Batch


class Gate:
    """An engine that estimates only when it may: the azimuth is the number of the batch; odd ones fail."""

    def __init__(self):
        self.open, self.entered = threading.Event(), threading.Event()

    def estimate(self, snapshots, frequency_hz):
        self.entered.set()
        assert self.open.wait(60)
        number = int(snapshots[0, 0].real)
        if number % 2:
            raise ValueError(f"batch {number}")
        return {"azimuth_deg": [float(number)]}


class Told:
    """Keeps what a listener is told; `settled` counts the batches that are done with."""

    def __init__(self):
        self.estimates, self.failures, self.settled = [], [], threading.Semaphore(0)

    def on_estimate(self, batch, values, latency_ms, seq):
        assert values == {"azimuth_deg": [float(batch.seq)]} and latency_ms["total"] >= latency_ms["inference"] >= 0
        self.estimates.append((seq, batch.seq))

    def on_failure(self, error):
        self.failures.append(str(error))

    def on_heartbeat(self):
        pass

    def on_idle(self):
        self.settled.release()


def batch(number):
    return Batch(np.full((2, 3), number, np.complex64), number, 0.0, 1e3, None, None, "", 0.0)


def accounted(worker, waiting):
    return worker.received == worker.estimated + worker.failed + worker.dropped + waiting


def test_every_batch_is_estimated_dropped_or_failed():
    engine, told = Gate(), Told()
    worker = Worker(engine, told, queue_size=2, threads=1)
    worker.start()
    worker.put(batch(0))
    assert engine.entered.wait(60)
    for number in (1, 2, 3):  # while 0 is in work; 1 is the oldest of three and makes room
        worker.put(batch(number))
    assert (worker.dropped, worker.idle) == (1, False) and accounted(worker, waiting=3)
    engine.open.set()
    for _ in range(3):
        assert told.settled.acquire(timeout=60)
    assert told.estimates == [(0, 0), (1, 2)] and told.failures == ["batch 3"]  # the newest first
    assert worker.idle and accounted(worker, waiting=0)
    worker.close()
    worker.put(batch(4))
    assert worker.dropped == 2 and worker.idle
    worker.join(60)


def test_what_is_abandoned_counts_as_dropped_and_nothing_comes_of_it():
    engine, told = Gate(), Told()
    worker = Worker(engine, told, queue_size=2, threads=1)
    worker.start()
    worker.put(batch(0))
    assert engine.entered.wait(60)
    worker.put(batch(2))
    worker.abandon()
    assert (worker.received, worker.dropped, worker.idle) == (2, 2, True)
    engine.open.set()
    worker.join(60)
    assert told.estimates == told.failures == [] and accounted(worker, waiting=0)


def test_a_listener_that_fails_is_told_of_as_a_failure():
    class Refusing(Told):
        def on_estimate(self, batch, values, latency_ms, seq):
            raise RuntimeError("no room")

    engine, told = Gate(), Refusing()
    engine.open.set()
    worker = Worker(engine, told, queue_size=2, threads=1)
    worker.start()
    worker.put(batch(0))
    assert told.settled.acquire(timeout=60)
    assert told.failures == ["no room"] and (worker.estimated, worker.failed) == (0, 1)
    worker.close()
    worker.join(60)
