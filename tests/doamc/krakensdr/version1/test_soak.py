"""Random faults of every kind: each frame that the server numbered is passed on or counted, and memory stays."""

import os
import time

import numpy as np
import pytest

from tests.doamc.krakensdr.version1.serving import Counting, connected, emulator, wait_for

#: faults that a number or a header can tell; drawn for a frame with these probabilities
RATES = {
    "drop": 0.01, "duplicate": 0.01, "truncate": 0.005, "bad-sync": 0.005, "garbage": 0.003, "stall": 0.002,
    "close": 0.003, "restart": 0.001, "unsynchronised": 0.03, "channels": 0.01,
}  # fmt: skip


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(requests, seed, limit_s, after=500, **faults):
    """Run so many requests; the counters, the emulator, resident memory after some frames and in the end."""
    rates, patience = RATES | faults, {"timeout_s": 1.0} if faults.get("stall", 1.0) else {}
    server = emulator(rates=rates, seed=seed, stall_s=2.0, restart_s=0.05, frames=requests, forgiving=True)
    with server, connected(server, **patience) as client:
        begin, early = time.monotonic(), 0
        while not server.done.is_set():
            assert time.monotonic() < begin + limit_s, client.counters
            frame = client.get(0.02)
            if frame is not None:
                assert np.array_equal(frame.samples, Counting().frame(frame.number))
                client.release(frame)
                if not early and client.counters.frames > after:
                    early = resident_bytes()
        wait_for(lambda: client.counters.failures > 0)
        return client.counters, server, early, resident_bytes()


def check(counters, server):
    faults = server.faulty
    assert all(faults[name] > 0 for name, rate in RATES.items() if rate * server.requests > 8), faults
    assert counters.frames == counters.passed + counters.kept_back
    # every number that the server gave out, but for the last ones, after which no header came any more
    unseen = server.produced - counters.frames - counters.lost
    assert 0 <= unseen <= 2, (server.produced, counters, faults)
    # and under its own name; a machine that halts for longer than the client's patience may add a few
    for found, expected in (
        (counters.duplicates, faults["duplicate"]),
        (counters.wrong_channels, faults["channels"]),
        (counters.not_data + counters.not_synchronised, faults["unsynchronised"]),
        (counters.broken, faults["truncate"] + faults["stall"]),
        (counters.malformed, faults["bad-sync"] + faults["garbage"]),
        (counters.restarts, faults["restart"]),
    ):
        assert abs(found - expected) <= 2, (counters, faults)


def test_a_short_soak_loses_nothing_uncounted():
    counters, server, *_ = soak(1500, seed=1, limit_s=250.0, stall=0.0)  # which each cost two seconds
    check(counters, server)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_ten_thousand_frames_lose_nothing_uncounted_and_memory_is_flat(seed):
    counters, server, early, late = soak(10_000, seed, limit_s=280.0)
    check(counters, server)
    assert late - early < 4 * 2**20
