"""A dashboard that runs in a thread of its own, and estimates to send to it."""

import asyncio
import threading
import time

import numpy as np

from doamc.dashboard.receivers import Receiver
from doamc.dashboard.server import Dashboard
from doamc.estimates import make_message

FREE = "tcp://127.0.0.1:*"


def estimate(seq=0, azimuth_deg=(-23.45, 41.5), std_deg=(0.75, 2.5), power_db=(0.0, -6.0), **changes):
    about = {
        "time": time.time(), "sample_time": 0.1 * seq, "frequency_hz": 433.92e6, "array": "ula8", "method": "posterior",
        "noise_power": 0.1, "coupling": toeplitz(4), "snapshots": 256, "dropped_batches": 0,
        "latency_ms": {"buffer": 1.5, "inference": 12.25, "total": 14.0},
    }  # fmt: skip
    return make_message(seq=seq, azimuth_deg=azimuth_deg, std_deg=std_deg, power_db=power_db, **(about | changes))


def toeplitz(n):
    """A coupling matrix: 1 on the diagonal, 0.3 at a phase of 0.9 rad beside it, the square of that after it."""
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return np.where(lag > 2, 0.0, np.power(0.3 * np.exp(0.9j), lag))


def until(condition, timeout_s=60.0, pause_s=0.01):
    """Wait until condition() holds; fails when it never does."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(pause_s)
    return value


class Served:
    """`Dashboard` in a thread; a context manager. `do(coroutine)` runs something in its loop."""

    def __init__(self, addresses, receivers=None, **options):
        if receivers is None:
            receivers = [Receiver(f"receiver {i}", a) for i, a in enumerate(addresses)]
        self.dashboard = Dashboard(receivers, **({"port": 0} | options))
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        try:
            self.do(self.dashboard.open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self.do(self.dashboard.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()

    def do(self, coroutine, timeout_s=60.0):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_s)

    @property
    def url(self):
        return self.dashboard.url

    def feed(self, index=0):
        return self.dashboard.bearings.feeds[index]

    def connected(self, publisher, index=0):
        """Publish numbered estimates until the first has arrived: ZMQ subscriptions take a moment. The next seq."""
        before, seq = self.feed(index).health(time.time())["received"], 0

        def arrived():
            nonlocal seq
            publisher.estimate(estimate(seq))
            seq += 1
            return self.feed(index).health(time.time())["received"] > before and self.feed(index).latest is not None

        until(arrived, pause_s=0.02)
        return seq
