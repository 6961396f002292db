"""Publisher over real sockets: frames, heartbeat, threads, slow and killed subscribers, addresses in use."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
import zmq

from doamc.errors import PublishError
from doamc.estimates import Publisher, Subscriber, status_message
from tests.doamc.estimates.streams import FREE, sequence, simple, subscribed

TRUTH = {
    "schema": "doamc.truth/1", "sample_time": 0.5, "array": "ula4", "azimuth_deg": [3.0], "power_db": [0.0],
    "noise_power": 0.1, "coupling": {"re": [[1.0]], "im": [[0.0]]},
}  # fmt: skip


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
            subscribed(usual)
            subscribed(curious)
            publisher.send("doamc.truth", TRUTH)
            publisher.estimate(simple(0))
            while (item := curious.receive(60)) is not None and item[0] == "doamc.status":
                pass
            assert item == ("doamc.truth", TRUTH)
            assert sequence(usual, 1) == [0]


def test_heartbeat_tells_state_sequence_and_counters():
    with Publisher(FREE, heartbeat_s=0.05) as publisher, Subscriber(publisher.address) as subscriber:
        first = subscribed(subscriber)
        assert (first["state"], first["seq"], first["counters"]) == ("idle", -1, {"published": 0})
        publisher.estimate(simple(8))
        sequence(subscriber, 1)
        beat = subscribed(subscriber)
        assert (beat["state"], beat["seq"], beat["counters"]["published"]) == ("running", 8, 1)
        publisher.status(status_message(time=1.0, state="error", seq=8, counters={"dropped": 2}, last_error="why"))
        given = subscribed(subscriber)
        repeated = subscribed(subscriber)
        assert given["time"] == 1.0 and repeated["time"] > 1.7e9  # the heartbeat has its own clock
        assert repeated["state"] == "error" and repeated["last_error"] == "why"
        assert repeated["counters"] == {"dropped": 2, "published": 1}
        times = [subscribed(subscriber)["time"] for _ in range(5)]
        assert times[-1] - times[0] > 0.15  # four periods of 0.05 s, or more on a busy computer


def test_threads_share_one_publisher():
    with Publisher(FREE, heartbeat_s=0.001) as publisher, Subscriber(publisher.address) as subscriber:
        subscribed(subscriber)

        def send(first):
            for seq in range(first, 40, 4):
                publisher.estimate(simple(seq))

        threads = [threading.Thread(target=send, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(20)
        assert sorted(sequence(subscriber, 40)) == list(range(40))
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
        subscribed(reader)
        message = simple(0, padding="x" * 50_000)
        before, arrived = _resident_mb(), 0
        for seq in range(3000):  # 150 MB; a queue that grew would hold them all, one that blocked would wait for ever
            publisher.estimate(message | {"seq": seq})
            arrived += reader.receive(0) is not None
        assert _resident_mb() - before < 60
        assert idle.poll() is None
        newest = 5000
        publisher.estimate(simple(newest))  # one who reads gets what comes
        while (item := reader.receive(60)) is not None and (item[0], item[1]["seq"]) != ("doamc.estimate", newest):
            arrived += 1
            if item[1]["seq"] == newest:  # the heartbeat behind it has come: there was no room left in the queue
                newest += 1
                publisher.estimate(simple(newest))
        assert item is not None and reader.received + reader.lost == newest + 1 and arrived > 100
        publisher.close()  # does not wait for who never reads, either
        assert idle.poll() is None


def test_killed_subscriber_leaves_the_others_served(child):
    with Publisher(FREE, heartbeat_s=0.02) as publisher, Subscriber(publisher.address) as reader:
        victim = _foreign(child, "while True: s.recv_multipart()", publisher.address)
        subscribed(reader)
        for seq in range(200):
            publisher.estimate(simple(seq))
            if seq == 60:
                victim.kill()
                assert victim.wait(60) == -9
            time.sleep(0.001)
        assert sequence(reader, 200) == list(range(200)) and reader.lost == 0


def test_address_in_use_is_named_and_free_again_after_close():
    with Publisher(FREE) as publisher:
        with pytest.raises(PublishError, match=f"{publisher.address}.*in use.*another port"):
            Publisher(publisher.address)
    Publisher(publisher.address).close()
    with pytest.raises(PublishError, match="closed"):
        publisher.estimate(simple(0))
    publisher.close()


def test_messages_that_are_not_json_are_refused_before_they_are_sent():
    with Publisher(FREE, heartbeat_s=0) as publisher:
        with pytest.raises(PublishError, match="JSON cannot hold"):
            publisher.estimate({"schema": "x", "a": object()})
        assert publisher.sent == 0
