"""Estimates for publishers in tests, and what a subscriber of theirs receives."""

import time

import numpy as np
import pytest

from doamc.estimates import make_message, validate

FREE = "tcp://127.0.0.1:*"


def simple(seq, **extra):
    return make_message(
        seq=seq, time=time.time(), sample_time=0.1 * seq, frequency_hz=1e8, array="ula4", method="music",
        azimuth_deg=[1.0], std_deg=[0.1], power_db=[0.0], noise_power=0.1, coupling=np.eye(4), snapshots=64,
        latency_ms={"buffer": 0.0, "inference": 1.0, "total": 1.0}, dropped_batches=0, **extra,
    )  # fmt: skip


def subscribed(subscriber, topic="doamc.status"):
    """Wait until the subscription has arrived: the heartbeat then does."""
    while (item := subscriber.receive(60)) is not None:
        validate(item[1])
        if item[0] == topic:
            return item[1]
    pytest.fail("nothing arrived")


def sequence(subscriber, count):
    out = []
    while len(out) < count:
        item = subscriber.receive(60)
        assert item is not None, f"{len(out)} of {count} arrived"
        validate(item[1])
        if item[0] == "doamc.estimate":
            out.append(item[1]["seq"])
    return out
