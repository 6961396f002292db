import threading

from gr_doamc.inference.batch_queue import BatchQueue
from hypothesis import given
from hypothesis import strategies as st


@given(size=st.integers(1, 5), steps=st.lists(st.booleans(), max_size=60))
def test_newest_first_and_every_item_accounted_for(size, steps):
    queue, model, next_item, lost = BatchQueue(size), [], 0, []
    for put in steps:
        if put:
            queue.put(next_item)
            model.append(next_item)
            next_item += 1
            if len(model) > size:
                lost.append(model.pop(0))
        else:
            assert queue.take(0.0) == (model.pop() if model else None)
        assert queue.received == queue.taken + queue.dropped + len(queue) == next_item
        assert queue.dropped == len(lost) and len(queue) == len(model)
    queue.close()
    queue.put(-1)
    assert queue.take() is None and len(queue) == 0
    assert queue.received == queue.taken + queue.dropped


def test_close_wakes_a_waiting_taker():
    queue, got = BatchQueue(2), []
    taker = threading.Thread(target=lambda: got.append(queue.take()), daemon=True)
    taker.start()
    queue.close()
    taker.join(5.0)
    assert not taker.is_alive() and got == [None]
