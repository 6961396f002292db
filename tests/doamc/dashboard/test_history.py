"""The last minute is bounded whatever comes."""

import pytest

from doamc.dashboard.history import MAX_BYTES, MAX_ESTIMATES, SPAN_S, History


def test_only_the_last_minute_is_kept():
    history = History()
    for k in range(200):
        history.add(0.5 * k, {"seq": k}, b"x")
    kept = history.last(99.5)
    assert [k.view["seq"] for k in kept] == list(range(79, 200))  # 99.5 - 60 = 39.5 and later
    assert kept[0].received == 99.5 - SPAN_S
    assert history.last(99.5 + 61) == []


def test_a_flood_is_bounded_in_number_and_in_bytes():
    history = History()
    for k in range(MAX_ESTIMATES + 500):
        history.add(1.0, {"seq": k}, b"x")
    kept = history.last(1.0)
    assert len(kept) == MAX_ESTIMATES and kept[-1].view["seq"] == MAX_ESTIMATES + 499
    large = bytes(MAX_BYTES // 4)
    for k in range(9):
        history.add(2.0, {"seq": k}, large)
    assert sum(len(k.data) for k in history.last(2.0)) <= MAX_BYTES
    assert history.last(2.0)[-1].view["seq"] == 8


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_the_rate_is_that_of_the_last_seconds(rate):
    history = History()
    assert history.rate_hz(0.0) == 0.0
    for k in range(int(30 * rate)):
        history.add(k / rate, {}, b"")
    assert history.rate_hz(30.0) == pytest.approx(rate, rel=0.11)
    assert history.rate_hz(32.5) == pytest.approx(rate / 2, rel=0.11)  # half of the window is silent
    assert history.rate_hz(40.0) == 0.0


def test_the_rate_of_a_young_stream():
    history = History()
    for k in range(41):
        history.add(10 + k / 20, {}, b"")
    assert history.rate_hz(12.0) == pytest.approx(20.0, rel=0.05)
