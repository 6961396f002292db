"""Publisher and subscriber over real sockets: losses, slow and killed subscribers, threads, addresses."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import zmq

from doamc.errors import PublishError
from doamc.estimates import Publisher, Subscriber, check_address, encode, make_message, status_message, validate

FREE = "tcp://127.0.0.1:*"
TRUTH = {
    "schema": "doamc.truth/1", "sample_time": 0.5, "array": "ula4", "azimuth_deg": [3.0], "power_db": [0.0],
    "noise_power": 0.1, "coupling": {"re": [[1.0]], "im": [[0.0]]},
}  # fmt: skip


def _message(seq, **extra):
    return make_message(
        seq=seq, time=time.time(), sample_time=0.1 * seq, frequency_hz=1e8, array="ula4", method="music",
        azimuth_deg=[1.0], std_deg=[0.1], power_db=[0.0], noise_power=0.1, coupling=np.eye(4), snapshots=64,
        latency_ms={"buffer": 0.0, "inference": 1.0, "total": 1.0}, dropped_batches=0, **extra,
    )  # fmt: skip


def _await(subscriber, topic="doamc.status"):
    """Wait until the subscription has arrived: the heartbeat then does."""
    while (item := subscriber.receive(60)) is not None:
        validate(item[1])
        if item[0] == topic:
            return item[1]
    pytest.fail("nothing arrived")


def _estimates(subscriber, count):
    out = []
    while len(out) < count:
        item = subscriber.receive(60)
        assert item is not None, f"{len(out)} of {count} arrived"
        validate(item[1])
        if item[0] == "doamc.estimate":
            out.append(item[1]["seq"])
    return out


def test_estimates_arrive_in_order_and_gaps_are_counted():
    with Publisher(FREE, heartbeat_s=0.02) as publisher, Subscriber(publisher.address) as subscriber:
        _await(subscriber)
        for seq in (4, 5, 7, 11, 12):
            publisher.estimate(_message(seq))
        assert _estimates(subscriber, 5) == [4, 5, 7, 11, 12]
        assert (subscriber.lost, subscriber.received, subscriber.malformed, publisher.sent) == (1 + 3, 5, 0, 5)
        publisher.estimate(_message(0))  # another program took over
        publisher.estimate(_message(1))
        assert _estimates(subscriber, 2) == [0, 1]
        assert (subscriber.lost, subscriber.restarts) == (4, 1)


def test_two_frames_of_topic_and_json():
    with Publisher(FREE, heartbeat_s=0.02) as publisher, zmq.Context() as context:
        with context.socket(zmq.SUB) as plain:
            plain.connect(publisher.address)
            plain.setsockopt(zmq.SUBSCRIBE, b"doamc.status")
            assert plain.poll(60_000)
            frames = plain.recv_multipart()
            assert len(frames) == 2 and frames[0] == b"doamc.status"
            assert json.loads(frames[1].decode("utf-8"))["schema"] == "doamc.status/1"


def test_other_topics_are_for_who_asks():
    with Publisher(FREE, heartbeat_s=0.02) as publisher, Subscriber(publisher.address) as usual:
        with Subscriber(publisher.address, topics=("doamc.truth", "doamc.status")) as curious:
            _await(usual)
            _await(curious)
            publisher.send("doamc.truth", TRUTH)
            publisher.estimate(_message(0))
            while (item := curious.receive(60)) is not None and item[0] == "doamc.status":
                pass
            assert item == ("doamc.truth", TRUTH)
            assert _estimates(usual, 1) == [0]


def test_heartbeat_tells_state_sequence_and_counters():
    with Publisher(FREE, heartbeat_s=0.05) as publisher, Subscriber(publisher.address) as subscriber:
        first = _await(subscriber)
        assert (first["state"], first["seq"], first["counters"]) == ("idle", -1, {"published": 0})
        publisher.estimate(_message(8))
        _estimates(subscriber, 1)
        beat = _await(subscriber)
        assert (beat["state"], beat["seq"], beat["counters"]["published"]) == ("running", 8, 1)
        publisher.status(status_message(time=1.0, state="error", seq=8, counters={"dropped": 2}, last_error="why"))
        given = _await(subscriber)
        repeated = _await(subscriber)
        assert given["time"] == 1.0 and repeated["time"] > 1.7e9  # the heartbeat has its own clock
        assert repeated["state"] == "error" and repeated["last_error"] == "why"
        assert repeated["counters"] == {"dropped": 2, "published": 1}
        times = [_await(subscriber)["time"] for _ in range(5)]
        assert times[-1] - times[0] > 0.15  # four periods of 0.05 s, or more on a busy computer


def test_threads_share_one_publisher():
    with Publisher(FREE, heartbeat_s=0.001) as publisher, Subscriber(publisher.address) as subscriber:
        _await(subscriber)

        def send(first):
            for seq in range(first, 40, 4):
                publisher.estimate(_message(seq))

        threads = [threading.Thread(target=send, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(20)
        assert sorted(_estimates(subscriber, 40)) == list(range(40))
        assert subscriber.malformed == 0


def _resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _foreign(child, code, address):
    """A subscriber in a process of its own; it prints a line once it receives."""
    head = "import sys, time, zmq\ns = zmq.Context().socket(zmq.SUB)\ns.setsockopt(zmq.RCVHWM, 10)\n"
    head += f"s.connect({address!r})\ns.setsockopt(zmq.SUBSCRIBE, b'')\ns.recv_multipart()\nprint('up', flush=True)\n"
    process = child([sys.executable, "-c", head + code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    return process


def test_subscriber_that_never_reads_neither_blocks_nor_grows_the_publisher(child):
    with Publisher(FREE, heartbeat_s=0.02) as publisher, Subscriber(publisher.address) as reader:
        idle = _foreign(child, "time.sleep(600)", publisher.address)
        _await(reader)
        message = _message(0, padding="x" * 50_000)
        before, arrived = _resident_mb(), 0
        for seq in range(3000):  # 150 MB; a queue that grew would hold them all, one that blocked would wait for ever
            publisher.estimate(message | {"seq": seq})
            arrived += reader.receive(0) is not None
        assert _resident_mb() - before < 60
        assert idle.poll() is None
        publisher.estimate(_message(5000))  # one who reads gets what comes
        while (item := reader.receive(60)) is not None and item[1].get("seq") != 5000:
            arrived += 1
        assert item is not None and reader.received + reader.lost == 5001 and arrived > 100
        publisher.close()  # does not wait for who never reads, either
        assert idle.poll() is None


def test_killed_subscriber_leaves_the_others_served(child):
    with Publisher(FREE, heartbeat_s=0.02) as publisher, Subscriber(publisher.address) as reader:
        victim = _foreign(child, "while True: s.recv_multipart()", publisher.address)
        _await(reader)
        for seq in range(200):
            publisher.estimate(_message(seq))
            if seq == 60:
                victim.kill()
                assert victim.wait(60) == -9
            time.sleep(0.001)
        assert _estimates(reader, 200) == list(range(200)) and reader.lost == 0


def test_malformed_messages_are_counted_and_passed_over():
    good = encode(_message(3))
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
                [b"doamc.estimate", encode(_message(3) | {"latency_ms": True})],
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


def test_address_in_use_is_named_and_free_again_after_close():
    with Publisher(FREE) as publisher:
        with pytest.raises(PublishError, match=f"{publisher.address}.*in use.*another port"):
            Publisher(publisher.address)
    Publisher(publisher.address).close()
    with pytest.raises(PublishError, match="closed"):
        publisher.estimate(_message(0))
    publisher.close()


@pytest.mark.parametrize(
    "address", ["", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "tcp://127.0.0.1:70000", "http://a:1",
                "tcp://127.0.0.1:-1", 5577, None],
)  # fmt: skip
def test_malformed_addresses_are_named(address):
    for what in (Publisher, Subscriber, check_address):
        with pytest.raises(PublishError, match="expected"):
            what(address)


def test_address_of_another_computer_cannot_be_bound():
    with pytest.raises(PublishError, match=r"192\.0\.2\.1.*this computer"):
        Publisher("tcp://192.0.2.1:5577", insecure=True)  # a documentation address (RFC 5737), never ours


def test_messages_that_are_not_json_are_refused_before_they_are_sent():
    with Publisher(FREE, heartbeat_s=0) as publisher:
        with pytest.raises(PublishError, match="JSON cannot hold"):
            publisher.estimate({"schema": "x", "a": object()})
        assert publisher.sent == 0


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
        good = encode(_message(3))
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
