"""Subscriber over real sockets: losses, restarts, what cannot be read, floods."""

import threading
import time

import zmq

from doamc.estimates import Publisher, Subscriber, encode, status_message
from tests.doamc.estimates.streams import FREE, sequence, simple, subscribed


def test_estimates_arrive_in_order_and_gaps_are_counted():
    with Publisher(FREE, heartbeat_s=0.02) as publisher, Subscriber(publisher.address) as subscriber:
        subscribed(subscriber)
        for seq in (4, 5, 7, 11, 12):
            publisher.estimate(simple(seq))
        assert sequence(subscriber, 5) == [4, 5, 7, 11, 12]
        assert (subscriber.lost, subscriber.received, subscriber.malformed, publisher.sent) == (1 + 3, 5, 0, 5)
        publisher.estimate(simple(0))  # another program took over
        publisher.estimate(simple(1))
        assert sequence(subscriber, 2) == [0, 1]
        assert (subscriber.lost, subscriber.restarts) == (4, 1)


def test_malformed_messages_are_counted_and_passed_over():
    good = encode(simple(3))
    with zmq.Context() as context, context.socket(zmq.PUB) as rogue:
        rogue.setsockopt(zmq.LINGER, 0)
        port = rogue.bind_to_random_port("tcp://127.0.0.1")
        with Subscriber(f"tcp://127.0.0.1:{port}", timeout_s=60) as subscriber:
            while subscriber.receive(0.02) is None:
                rogue.send_multipart([b"doamc.status", encode(status_message(time=1.0, state="idle", seq=-1))])
            bad = [
                [b"doamc.estimate"], [b"doamc.estimate", b"{"], [b"doamc.estimate", b"[]"],
                [b"doamc.estimate", good, good],
                [b"doamc.estimate", b'{"schema": "doamc.estimate/1"}'], [b"doamc.estimate\xff", good],
                [b"doamc.estimate", b'{"schema": "doamc.estimate/1", "seq": "one"}'], [b"doamc.estimate", good[:-1]],
                [b"doamc.estimate", good.replace(b'"seq":3', b'"seq":' + 4299 * b"3")], [b"doamc.status", good],
                [b"doamc.estimate", encode(simple(3) | {"latency_ms": True})],
            ]  # fmt: skip
            for frames in [*bad, [b"doamc.estimate", good]]:
                rogue.send_multipart(frames)
            topics = [(t, m.get("seq")) for t, m in _until_estimate(subscriber)]
            assert topics[-1] == ("doamc.estimate", 3)
            assert subscriber.malformed == len(bad) and subscriber.received == 1
            assert subscriber.lost == subscriber.disconnected == subscriber.refused == 0
            assert subscriber.fault == "doamc.estimate/1: latency_ms: True is not of type 'object'"


def _until_estimate(subscriber):
    for item in subscriber:
        yield item
        if item[0] == "doamc.estimate":
            return


def test_iteration_ends_when_nothing_comes():
    with Publisher(FREE, heartbeat_s=0) as publisher, Subscriber(publisher.address, timeout_s=0.1) as subscriber:
        begin = time.monotonic()
        assert list(subscriber) == [] and time.monotonic() - begin > 0.09
        assert subscriber.receive(0) is None


def test_a_flood_of_what_cannot_be_read_does_not_keep_the_caller_waiting():
    """Whoever asks with a time gets an answer, although something arrives all the time."""
    end = threading.Event()
    with zmq.Context() as context, context.socket(zmq.PUB) as rogue:
        rogue.setsockopt(zmq.LINGER, 0)
        port = rogue.bind_to_random_port("tcp://127.0.0.1")

        def flood():
            while not end.is_set():
                for _ in range(100):
                    rogue.send_multipart([b"doamc.estimate", b"[" * 5000])

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            with Subscriber(f"tcp://127.0.0.1:{port}") as subscriber:
                while subscriber.malformed < 1000:
                    assert subscriber.receive(0.1) is None
        finally:
            end.set()
            thread.join(10)


def test_frames_that_are_too_long_are_not_taken_in():
    """ZMQ itself ends the connection before there is room for them, and comes back for what is fit to be read."""
    data = bytes(50 << 20)
    with zmq.Context() as context, context.socket(zmq.PUB) as rogue:
        rogue.setsockopt(zmq.LINGER, 0)
        rogue.setsockopt(zmq.SNDHWM, 2)
        port = rogue.bind_to_random_port("tcp://127.0.0.1")
        good = encode(simple(3))
        with Subscriber(f"tcp://127.0.0.1:{port}") as subscriber:
            while subscriber.receive(0.02) is None:
                rogue.send_multipart([b"doamc.estimate", good])
            received = subscriber.received
            while not subscriber.disconnected:
                rogue.send_multipart([b"doamc.estimate", data])
                subscriber.receive(0.02)
            while subscriber.received == received:
                rogue.send_multipart([b"doamc.estimate", good])
                subscriber.receive(0.02)
            assert subscriber.malformed == 0
