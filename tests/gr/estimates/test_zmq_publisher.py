import json
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pmt
import pytest
import zmq
from gnuradio import blocks, gr, zeromq
from gr_doamc import coupled_array_source, doa_estimator, snapshot_buffer, zmq_publisher

from doamc.errors import PublishError
from doamc.estimates import Subscriber, make_message, status_message
from doamc.estimates.curve import make_keys
from doamc.estimators import METHODS
from tests.gr.running import batch_message, connect_streams, posting, run

ANY = "tcp://127.0.0.1:*"
TRUTH = {
    "schema": "doamc.truth/1", "sample_time": 0.5, "array": "ula4", "azimuth_deg": [3.0], "power_db": [0.0],
    "noise_power": 0.1, "coupling": {"re": [[1.0]], "im": [[0.0]]},
}  # fmt: skip
VICTIM = """
import sys
from doamc.estimates import Subscriber
subscriber = Subscriber(sys.argv[1])
subscriber.receive()
print(1, flush=True)
subscriber.receive()
"""


def estimate(seq, pad=0):
    return make_message(
        seq=seq, time=1.0, sample_time=0.1 * seq, frequency_hz=None, array="ula8", method="music", azimuth_deg=[1.0],
        std_deg=None, power_db=None, noise_power=None, coupling=np.eye(8), snapshots=256,
        latency_ms={"buffer": 0.0, "inference": 1.0, "total": 1.0}, dropped_batches=0, pad="x" * pad,
    )  # fmt: skip


class listening:
    """Everything that a subscriber receives until it is asked for it and a second of silence has passed."""

    def __init__(self, block):
        self.got, self._asked = [], threading.Event()
        self._subscriber = Subscriber(block.address, topics=("doamc",))
        while not self._subscriber.malformed:  # a publisher drops what it sends before it has learnt of the reader
            block._publisher.send("doamc.test", {"schema": "doamc.test/1"})  # of no schema: counted, and passed over
            self._subscriber.receive(0.05)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while (item := self._subscriber.receive(1.0)) or not self._asked.is_set():
            self.got += [item] if item else []
        self._subscriber.close()

    def of(self, topic):
        self._asked.set()
        self._thread.join(90.0)
        return [m for t, m in self.got if t == topic]


def test_estimates_status_and_truth_each_on_their_topic():
    block = zmq_publisher(ANY, heartbeat=0.0)
    heard = listening(block)
    messages = [pmt.to_pmt(estimate(k)) for k in range(5)]
    flowgraph = posting(messages, block, "estimates")
    status = status_message(time=1.0, state="idle", seq=0)
    block._post(pmt.intern("status"), pmt.to_pmt(status))
    block._post(pmt.intern("truth"), pmt.to_pmt(TRUTH))
    run(flowgraph)
    assert heard.of("doamc.estimate") == [estimate(k) for k in range(5)]
    assert heard.of("doamc.status") == [status]
    assert heard.of("doamc.truth") == [TRUTH]
    assert block.sent == 5


def test_nothing_is_lost_at_the_end_of_a_run(monkeypatch):
    # the truth's source is done at once, long before the estimator: the publisher must wait for the latter
    monkeypatch.setitem(METHODS, "slow", "tests.gr.methods:Slow")
    flowgraph, publisher = gr.top_block(), zmq_publisher(ANY)
    heard = listening(publisher)
    source = coupled_array_source("ula8", [{"azimuth_deg": 5.0}], sample_rate=1e5)
    head, buffer = blocks.head(8, 15 * 100), snapshot_buffer(8, 100, sample_rate=1e5)
    estimator = doa_estimator("ula8", "slow", 1, queue_size=50)
    connect_streams(flowgraph, source, head, buffer)
    flowgraph.msg_connect(buffer, "snapshots", estimator, "snapshots")
    flowgraph.msg_connect(source, "truth", publisher, "truth")
    flowgraph.msg_connect(estimator, "estimates", publisher, "estimates")
    flowgraph.msg_connect(estimator, "status", publisher, "status")
    run(flowgraph)
    found = heard.of("doamc.estimate")
    assert [m["seq"] for m in found] == list(range(15)) and publisher.sent == buffer.produced == 15
    assert heard.of("doamc.status")[-1]["state"] == "stopped"
    assert heard.of("doamc.status")[-1]["counters"]["estimated"] == 15
    assert len(heard.of("doamc.truth")) >= 1


def test_the_link_of_the_source_is_told_with_the_state_of_the_engine():
    """Whatever does not run is what is told: an engine without batches is not the whole receiver."""
    block = zmq_publisher(ANY, heartbeat=0.0)
    heard = listening(block)
    engine = status_message(time=1.0, state="running", seq=7, counters={"estimated": 8}, block="doa_estimator0")
    absent = status_message(time=2.0, state="error", seq=-1, last_error="no server", link="absent", block="source0")
    there = absent | {"state": "running", "last_error": None, "link": "streaming"}
    for status in (engine, absent, engine, there, engine | {"state": "stopped"}, absent):
        block._on_status(pmt.to_pmt(status))
    told = heard.of("doamc.status")
    assert [(m["state"], m.get("link"), m["last_error"]) for m in told] == [
        ("running", None, None), ("error", "absent", "no server"), ("error", "absent", "no server"),
        ("running", "streaming", None), ("stopped", "streaming", None), ("stopped", "absent", None),
    ]  # fmt: skip
    assert all(m["seq"] == 7 and m["counters"] == {"estimated": 8} for m in told)
    assert block.idle()  # the source is not waited for: it ends when the flowgraph does
    block.stop()


def test_keys_and_who_may_do_without(tmp_path):
    make_keys(tmp_path / "roof")
    with pytest.raises(PublishError, match=r"--keys.*--insecure"):
        zmq_publisher("tcp://0.0.0.0:*")
    zmq_publisher("tcp://0.0.0.0:*", insecure=True).stop()
    block = zmq_publisher(ANY, heartbeat=0.02, keys=str(tmp_path / "roof.key_secret"))
    with Subscriber(block.address, server_key=tmp_path / "roof.key") as ada:
        assert ada.receive(20) is not None
    with Subscriber(block.address) as eve:
        while not eve.refused:
            assert eve.receive(0.1) is None
    block.stop()
    block.start()  # with the same keys
    with Subscriber(block.address, server_key=tmp_path / "roof.key") as ada:
        assert ada.receive(20) is not None
    block.stop()


def test_a_bad_message_is_counted_and_the_next_goes_out():
    block = zmq_publisher(ANY, heartbeat=0.0)
    heard = listening(block)
    flowgraph = posting([pmt.intern("hello"), pmt.to_pmt(estimate(0))], block, "estimates", ("status",))
    run(flowgraph)
    assert len(heard.of("doamc.estimate")) == 1 and block.counters["failed"] == 1
    (status,) = flowgraph.collectors["status"].messages
    assert status["state"] == "error" and status["counters"] == {"failed": 1}


def test_address_in_use_is_an_error_at_once():
    first = zmq_publisher(ANY)
    with pytest.raises(PublishError, match="in use"):
        zmq_publisher(first.address)
    first.stop()
    zmq_publisher(first.address).stop()


def test_an_address_taken_between_two_runs_does_not_hang_the_second():
    block = zmq_publisher(ANY, heartbeat=0.0)
    flowgraph = posting([pmt.to_pmt(estimate(0))], block, "estimates", ("status",))
    run(flowgraph)
    thief = zmq_publisher(block.address)
    flowgraph.poster.left = [pmt.to_pmt(estimate(1))]
    run(flowgraph)
    thief.stop()
    words = [s["last_error"] for s in flowgraph.collectors["status"].messages]
    assert block.sent == 1 and "in use" in words[0] and "closed" in words[1]


@pytest.mark.parametrize("address", ["", "5577", "tcp://127.0.0.1:99999"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(PublishError, match="expected"):
        zmq_publisher(address)


def test_a_subscriber_that_never_reads_does_not_hold_up_the_run():
    block = zmq_publisher(ANY, heartbeat=0.0)
    context = zmq.Context()
    idle = context.socket(zmq.SUB)
    idle.setsockopt(zmq.RCVHWM, 1)
    idle.setsockopt(zmq.SUBSCRIBE, b"")
    idle.connect(block.address)
    heard = listening(block)
    messages = [pmt.to_pmt(estimate(k, pad=20_000)) for k in range(1000)]  # 20 MB: beyond every buffer
    run(posting(messages, block, "estimates"))
    assert block.sent == 1000
    assert len(heard.of("doamc.estimate")) > 0
    context.destroy(linger=0)


def test_a_killed_subscriber_does_not_disturb_the_others(child):
    block = zmq_publisher(ANY, heartbeat=0.0)
    victim = child([sys.executable, "-c", VICTIM, block.address], stdout=subprocess.PIPE, text=True)
    heard, killer = listening(block), []

    def kill():
        killer.append(victim.stdout.readline())
        victim.kill()

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    for seq in range(4000):  # until the victim has joined and received
        block._publisher.estimate(estimate(seq))
        if killer:
            break
        time.sleep(0.02)
    thread.join(60.0)
    assert victim.wait(60.0) != 0 and killer == ["1\n"]
    run(posting([pmt.to_pmt(estimate(1000 + k)) for k in range(50)], block, "estimates"))
    assert [m["seq"] for m in heard.of("doamc.estimate")][-50:] == list(range(1000, 1050))


def test_batches_through_estimator_and_publisher_keep_their_numbers():
    publisher = zmq_publisher(ANY)
    heard = listening(publisher)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, 60)) + 1j * rng.standard_normal((8, 60))
    estimator = doa_estimator("ula8", "music", 1, queue_size=20)
    flowgraph = posting([batch_message(noise, k, frequency_hz=1e8) for k in range(10)], estimator, "snapshots")
    flowgraph.msg_connect(estimator, "estimates", publisher, "estimates")
    flowgraph.msg_connect(estimator, "status", publisher, "status")
    run(flowgraph)
    found = heard.of("doamc.estimate")
    assert sorted(m["batch_seq"] for m in found) == list(range(10))
    assert {m["frequency_hz"] for m in found} == {1e8}


def test_gnu_radios_own_subscriber_reads_the_stream_by_its_key():
    """``ZMQ SUB Source`` with the topic as its key: the JSON of one message after the other."""
    block, flowgraph = zmq_publisher(ANY, heartbeat=0.01), gr.top_block()
    source = zeromq.sub_source(gr.sizeof_char, 1, block.address, 100, False, -1, "doamc.estimate")
    sink = blocks.vector_sink_b()
    flowgraph.connect(source, sink)
    flowgraph.start()
    end, seq = time.monotonic() + 90.0, 0
    while bytes(sink.data()).count(b"doamc.estimate/1") < 6 and time.monotonic() < end:  # until it has joined
        block._publisher.estimate(estimate(seq))
        seq += 1
        time.sleep(0.02)
    flowgraph.stop()
    flowgraph.wait()
    block.stop()
    text, found = bytes(sink.data()).decode(), []
    with suppress(json.JSONDecodeError):  # at the end of the run the last one may be in part
        while text:
            message, used = json.JSONDecoder().raw_decode(text)
            found.append(message)
            text = text[used:]
    assert len(found) >= 5 and found == [estimate(m["seq"]) for m in found]
