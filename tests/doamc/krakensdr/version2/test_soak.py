"""The client against the emulator, with faults of every kind at random: every byte has its place, and it goes on."""

import gc
import time

import numpy as np
import pytest

from doamc.krakensdr.version2.emulator import FAULTS
from tests.doamc.krakensdr.version1.serving import wait_for
from tests.doamc.krakensdr.version1.test_soak import resident_bytes
from tests.doamc.krakensdr.version2.emulator.plain import complex_of
from tests.doamc.krakensdr.version2.emulator.serving import CHANNELS, LENGTH, emulator
from tests.doamc.krakensdr.version2.serving import client_of

#: probabilities of each fault for a packet
RATES = dict.fromkeys(FAULTS, 0.01) | {"close": 0.003, "restart": 0.001, "retune": 0.002, "incoherent": 0.002}
#: faults after which the next packet must be sought; a packet that none follows is not believed either
_SOUGHT = "garbage", "truncate", "headless", "decoy", "bad-magic", "close", "restart"
#: counts of the client, and the emulator's words for the same
_REASONS = {
    "wrong_channels": "channels", "wideband": "wideband", "independent": "independent", "noise_source": "noise",
    "retuning": "retuning",
}  # fmt: skip


def blocks_of(server):
    """What the antennas' packets become, (packets, M, T)."""
    shape = CHANNELS, LENGTH, 2
    return np.stack([complex_of(p.reshape(shape).astype(float)) for p in server.stream.payloads.antennas])


def soak(packets, seed, limit_s, after=2000):
    """The client's counters, the emulator, blocks of samples that are not as sent, resident memory early and late."""
    server = emulator(rates=RATES, seed=seed, packets=packets, room=2, stall_s=0.01, restart_s=0.01)
    known, odd, early, begin = blocks_of(server), 0, 0, time.monotonic()
    with server, client_of(server.port) as client:

        def take():
            nonlocal odd, early
            frame = client.get(0.02)
            if frame is not None:
                for block in np.split(frame.samples, frame.samples.shape[1] // LENGTH, 1):
                    odd += not (abs(known - block).max((1, 2)) < 1e-5).any()
                client.release(frame)
            early = early or (client.counters.passed > after and held_bytes(client))
            assert time.monotonic() < begin + limit_s, client.counters

        while not server.done.is_set() or frames_wait(client):
            take()
        wait_for(lambda: client.counters.came == server.clients.total().sent and not client.counters.pending)
        return client.counters, server, odd, early, held_bytes(client)


def frames_wait(client):
    return bool(client.pool._ready)


def held_bytes(client):
    """Memory but for that of frames that wait, which is bounded by itself and never given back."""
    gc.collect()  # connections that are over refer to themselves
    return resident_bytes() - sum(len(buffer.data) for buffer in [*client.pool.free, *client.pool._owners.values()])


def check(counters, server, odd):
    total, faulty = server.clients.total(), server.stream.faulty
    assert server.ended is None and all(faulty[n] > 0 for n, r in RATES.items() if r * server.stream.produced > 8)
    # to the byte: what was sent came, and is counted under what became of it
    assert counters.came == total.sent and counters.unaccounted == 0 and counters.pending == 0
    # by reason: a fault costs the packet that it befell, and at most the one before
    sought, believed = sum(faulty[name] for name in _SOUGHT), counters.packets
    assert total.packets - sought <= sum(believed.values()) <= total.packets
    for reason, mark in _REASONS.items():
        assert total.marks[mark] - sought <= believed[reason] <= total.marks[mark], reason
    kept = believed["passed"] + believed["not_taken"]
    assert total.states["usable"] - sought <= kept <= total.states["usable"]
    # what passes is what the antennas sent, but for packets whose samples were made odd
    assert odd <= faulty["clip"] + faulty["magic"]


def test_a_short_soak_leaves_no_byte_unaccounted():
    counters, server, odd, *_ = soak(1500, seed=1, limit_s=60.0)
    check(counters, server, odd)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_ten_thousand_packets_leave_no_byte_unaccounted_and_memory_is_flat(seed):
    counters, server, odd, early, late = soak(10_000, seed, limit_s=280.0)
    check(counters, server, odd)
    assert late - early < 16 * 2**20
