"""Accounts add up, and are plain values for a file."""

import json

from tests.doamc.krakensdr.version2.emulator.plain import read_all
from tests.doamc.krakensdr.version2.emulator.serving import emulator


def test_the_sum_over_clients_that_came_and_went():
    with emulator(at={3: "garbage", 25: "noise"}) as server:
        plains = [read_all(server.port, until=lambda plain: len(plain.packets) > 20) for _ in range(3)]
    accounts, total = server.clients.accounts, server.clients.total()
    assert len(accounts) == 3 and all(a.ended for a in accounts)
    assert total.sent == sum(a.sent for a in accounts) >= sum(p.received for p in plains)
    assert total.packets == sum(a.packets for a in accounts) == sum(total.states.values()) - total.states["usable"]
    table = json.loads(json.dumps(total.as_dict()))
    assert table["sent"] == sum(table["bytes"].values()) and table["packets"] == total.packets
    assert table["faults"]["garbage"] == 1
