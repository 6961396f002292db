"""Estimators that are slow or fail, for tests of what the block around them does."""

import threading
import time

import torch

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.snapshots import SnapshotBatch


class Slow(Estimator):
    """Takes 30 ms; the azimuth it gives is the real part of the first sample, in rad."""

    name, summary, seconds = "slow", "takes its time", 0.03

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        time.sleep(self.seconds)
        none = torch.full((batch.size, n_sources), torch.nan, dtype=torch.float64)
        azimuth = batch.snapshots[:, 0, :1].real.expand(-1, n_sources)
        unknown = torch.full_like(batch.covariance, torch.nan)
        count = torch.full((batch.size,), n_sources)
        return Estimates(azimuth, none, none, unknown, torch.ones(batch.size, dtype=torch.float64), count)


class Held(Slow):
    """Waits while it is not open."""

    name, seconds, open = "held", 0.0, threading.Event()
    open.set()

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        assert self.open.wait(60)
        return super().estimate(batch, n_sources)


class Garbled(Slow):
    """Gives more powers than sources, which no message can hold."""

    name, seconds = "garbled", 0.0

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        result = super().estimate(batch, n_sources)
        result.power = torch.ones(batch.size, n_sources + 1, dtype=torch.float64)
        return result


class Broken(Slow):
    """Raises what no one expects when the first sample is 1."""

    name, seconds = "broken", 0.0

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        if batch.snapshots[0, 0, 0] == 1:
            raise ZeroDivisionError("within the method")
        return super().estimate(batch, n_sources)
