"""Rates and latencies against a clock that the test turns."""

import math

import pytest

from doamc.views import Health


def estimate(total_ms, dropped=0):
    return {"latency_ms": {"buffer": 1.0, "inference": None, "total": total_ms}, "dropped_batches": dropped}


def test_figures_of_a_steady_stream():
    now = [100.0]
    health = Health(window_s=2.0, clock=lambda: now[0])
    assert health.state() == "waiting" and health.rate_hz() == 0.0 and math.isnan(health.age_s())
    for k in range(41):  # ten a second: of four seconds the last two count
        now[0] = 100.0 + 0.1 * k
        health.take("doamc.estimate", estimate(float(k), dropped=k // 10))
    assert health.rate_hz() == pytest.approx(10.0)
    assert health.latency_ms("total") == pytest.approx(30.0)  # median of 20..40
    assert health.latency_ms("total", 95) == pytest.approx(39.0)
    assert math.isnan(health.latency_ms("inference")) and health.latency_ms("buffer") == 1.0
    assert health.received == 41 and health.dropped == 4 and health.state() == "running"
    now[0] += 10.0
    assert health.state() == "silent" and health.rate_hz() == 0.0 and health.age_s() == pytest.approx(10.0)


def test_the_state_is_the_publishers():
    health = Health()
    health.take("doamc.status", {"state": "error", "last_error": "dead channel"})
    assert health.state() == "error" and health.status["last_error"] == "dead channel"
    health.take("doamc.truth", {"state": "running"})
    assert health.state() == "error"


def test_heartbeats_do_not_make_a_dead_receiver_look_alive():
    """The newest estimate counts; what heartbeats say is told beside it."""
    now = [100.0]
    health = Health(clock=lambda: now[0])
    beat = {"state": "running", "link": "streaming", "last_error": None}
    health.take("doamc.status", beat)
    assert health.state() == "waiting" and health.publisher() == "publisher running, link streaming"
    assert math.isnan(health.age_s())
    health.take("doamc.estimate", estimate(1.0))
    assert health.state() == "running"
    for _ in range(16):
        now[0] += 1.0
        health.take("doamc.status", beat | {"state": "error", "link": "absent"})
    assert health.state() == "silent" and health.age_s() == pytest.approx(16.0)
    assert health.publisher() == "publisher error, link absent"
    now[0] += 3.1
    assert health.publisher() == "no heartbeat"
    health.take("doamc.estimate", estimate(1.0))
    assert health.state() == "error" and health.age_s() == 0.0


def test_an_error_or_the_end_is_believed_before_the_first_estimate_while_it_is_told():
    now = [0.0]
    health = Health(clock=lambda: now[0])
    for state in ("error", "stopped"):
        health.take("doamc.status", {"state": state})
        assert health.state() == state
    now[0] += 3.1
    assert health.state() == "waiting"


def test_memory_is_bounded():
    health = Health(window_s=1e9, most=50)
    for _ in range(200):
        health.take("doamc.estimate", estimate(1.0))
    assert health.received == 200 and len(health._recent) == 50
