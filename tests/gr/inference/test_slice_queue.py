"""Slices between stream and engine: in order, bounded, and every one accounted for."""

import threading

import numpy as np
from gr_doamc.inference.slice_queue import Slice, SliceQueue, Tuning


def item(number, lost=0):
    return Slice(np.full((1, 1), number, np.complex64), float(number), lost)


def tuning(sample):
    return Tuning(1e6, 1e3, sample, None)


def numbers(q):
    out = []
    while (got := q.take(0.0)) is not None:
        out.append(got.sample if isinstance(got, Tuning) else (got.time, got.lost))
    return out


def test_what_finds_no_room_is_counted_and_told_to_the_next():
    q = SliceQueue(2, waits=False)
    for k in range(5):
        q.put(item(k, lost=10 if k == 3 else 0))
    assert (q.received, q.dropped, q.taken) == (5, 3, 0)
    assert numbers(q) == [(0.0, 0), (1.0, 0)]
    q.put(item(5))
    assert numbers(q) == [(5.0, 13)]  # three of the queue, ten that the stream had lost
    assert q.received == q.dropped + q.taken == 6


def test_tunings_are_never_dropped_and_the_last_of_two_counts():
    q = SliceQueue(1, waits=False)
    q.put(item(0))
    q.tune(tuning(7))
    q.tune(tuning(8))
    q.put(item(1))
    assert numbers(q) == [(0.0, 0), 8]
    q.put(item(2))
    assert numbers(q) == [(2.0, 1)]


def test_a_tuning_forgets_what_was_lost_before_it():
    q = SliceQueue(1, waits=False)
    q.put(item(0))
    q.put(item(1))
    q.tune(tuning(9))
    assert numbers(q) == [(0.0, 0), 9]
    q.put(item(2))
    assert numbers(q) == [(2.0, 0)]


def test_one_that_waits_drops_nothing():
    q = SliceQueue(1, waits=True)
    writer = threading.Thread(target=lambda: [q.put(item(k)) for k in range(20)], daemon=True)
    writer.start()
    got = [q.take(30.0).time for _ in range(20)]
    writer.join(30.0)
    assert got == list(range(20)) and q.dropped == 0 and q.taken == 20


def test_closed_it_gives_what_waits_or_drops_it():
    keeps, drops = SliceQueue(3, waits=False), SliceQueue(3, waits=True)
    for q in (keeps, drops):
        q.put(item(0))
        q.put(item(1))
    keeps.close()
    assert not keeps.ended and numbers(keeps) == [(0.0, 0), (1.0, 0)] and keeps.ended
    drops.close(drop=True)
    assert drops.ended and drops.take(0.0) is None and drops.dropped == 2
    drops.put(item(2))  # nobody waits for room that does not come
    assert (drops.received, drops.dropped) == (3, 3)
