"""Messages of all kinds, and what a rude or a broken publisher makes of them."""

import json
from random import Random

import numpy as np

from doamc.estimates import encode, make_message, status_message
from tests.fuzz.mutate import damaged, spoil

#: where an estimate might take more than it does
KEYS = ("x", "link", "\x1b", "coupling_std", "modes", "sources", "heading_deg", "receiver", "bearing_deg")
#: beside what is odd everywhere
VALUES = ({"schema": "doamc.estimate/1"}, "doamc.status/1", "doamc.estimate/2")


def estimate(seq=17, **changes):
    """One with every key that there is."""
    about = {
        "seq": seq, "time": 1.79e9, "sample_time": 3.2, "frequency_hz": 433.9e6, "array": "ula8", "method": "posterior",
        "azimuth_deg": [-23.4, 10.0, 170.0], "std_deg": [0.2, 0.3, None], "power_db": [0.0, -3.0, None],
        "noise_power": 0.1, "coupling": np.eye(3) + 0.5j, "coupling_std": np.full((3, 3), 0.1), "snapshots": 256,
        "dropped_batches": 0, "latency_ms": {"buffer": 1.0, "inference": 12.0, "total": 13.5},
        "interval_deg": [[-24.0, -22.0], [9.0, 11.0], [160.0, 200.0]], "source_probability": [0.0, 0.1, 0.2, 0.7],
        "modes": [{"share": 0.7, "azimuth_deg": [-23.4, 10.0, 170.0], "std_deg": [0.2, 0.3, 0.4]}],
        "model_error_db": -20.0, "model_error_interval_db": [-24.0, -16.0],
        "effective_snapshots": 100.0, "batch_seq": 18, "rx_time": None, "heading_deg": 70.0,
        "receiver": {"heading_deg": 60.0, "latitude": 48.1, "longitude": 11.6},
    }  # fmt: skip
    return make_message(**(about | changes))


def status(**changes):
    return status_message(
        time=1.0, state="running", seq=3, counters={"made": 3}, last_error="why", link="streaming", **changes
    )


def truth():
    return {
        "schema": "doamc.truth/1", "sample_time": 0.5, "array": "ula8", "azimuth_deg": [3.0, -5.0], "noise_power": 0.1,
        "power_db": [0.0, -1.0], "coupling": {"re": np.eye(3).tolist(), "im": np.eye(3).tolist()},
    }  # fmt: skip


KINDS = {"doamc.estimate": estimate, "doamc.status": status, "doamc.truth": truth}


def mutated(random: Random) -> tuple[bytes, bytes]:
    """Topic and data of a message in which a few things are not as they should be."""
    topic = random.choice(["doamc.estimate"] * 3 + list(KINDS))
    message = KINDS[topic]()
    for _ in range(random.choice([0, 1, 1, 1, 2, 4])):
        spoil(message, random, KEYS, VALUES)
    data = json.dumps(message, ensure_ascii=random.random() < 0.5).encode(errors="surrogatepass")
    if random.random() < 0.15:
        data = data.replace(b"1.0", random.choice([b"9" * 4299, b"1e999", b"-0", b"1E400", b"0x1", b"1" * 30]), 1)
    if random.random() < 0.25:
        data = damaged(data, random)
    return random.choice([topic] * 20 + ["doamc.estimate", "doamc.", "doamc.status\x00"]).encode(), data


def whole(seq):
    """Topic and data of a message with nothing wrong."""
    return b"doamc.estimate", encode(estimate(seq))
