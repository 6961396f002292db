"""Faults of every kind at random: to the byte, what was sent is what was read, and it goes on."""

from contextlib import suppress

import pytest

from doamc.krakensdr.version2.emulator import FAULTS
from tests.doamc.krakensdr.version2.emulator.plain import Plain, read_all
from tests.doamc.krakensdr.version2.emulator.serving import emulator

RATES = dict.fromkeys(FAULTS, 0.01) | {"close": 0.003, "restart": 0.001, "retune": 0.002, "incoherent": 0.002}
#: faults that leave a packet's place to be sought
_SOUGHT = "garbage", "truncate", "headless", "decoy", "bad-magic"


def soak(packets, seed):
    """The reader's counts, summed over its connections, and the emulator, which has ended."""
    plain = Plain(keep=0)
    with emulator(rates=RATES, seed=seed, packets=packets, room=2, stall_s=0.01, restart_s=0.01) as server:
        while not server.done.is_set():
            with suppress(ConnectionError):  # it may be away
                read_all(server.port, plain)
            plain.passed_over += len(plain.waiting)  # of this connection nothing more will come
            plain.waiting.clear()
    return plain, server


def check(plain, server):
    total = server.clients.total()
    assert server.ended is None
    assert plain.received == total.sent == plain.whole + plain.passed_over
    # what was not sent is told, too
    faulty = server.stream.faulty
    sent, not_sent = total.packets + total.broken, total.unsent + server.clients.unheard
    assert server.stream.produced == sent + not_sent + faulty["drop"] + faulty["restart"] and total.lost == 0
    for fault, rate in RATES.items():
        expected = rate * server.stream.produced
        assert abs(faulty[fault] - expected) < 5 * expected**0.5, fault
    # where its place is lost, a reader that believes the first header may take up to three packets for samples
    found, lost = sum(plain.states.values()), sum(server.stream.faulty[k] for k in _SOUGHT)
    assert total.packets - 3 * lost <= found <= total.packets + lost


def test_a_short_soak_leaves_no_byte_unaccounted():
    check(*soak(1000, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_ten_thousand_packets_leave_no_byte_unaccounted(seed):
    check(*soak(10_000, seed))
