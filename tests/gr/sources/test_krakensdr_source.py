"""The KrakenSDR source in flowgraphs: version 2, and finding out which version answers."""

import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import heimdall_source, krakensdr_source, snapshot_buffer

from doamc.errors import ReceiverError
from doamc.estimates import validate
from tests.doamc.krakensdr.version1.serving import emulator, rogue, wait_for
from tests.doamc.krakensdr.version2.serving import CHANNELS, LENGTH, Receiver, numbers_of, packet, sending
from tests.gr.running import collector, run
from tests.gr.sources.playing import played

RATE = 1e5


def source_of(port, packets=0, **options):
    options = {
        "control_port": -1,
        "n_elements": CHANNELS,
        "settling": 0.0,
        "sample_rate": RATE,
        "timeout": 20.0,
    } | options
    return krakensdr_source(port=port, duration=packets * LENGTH / RATE, **options)


def test_streams_are_the_channels_of_the_packets():
    begin = time.time()
    with sending(*(packet(k) for k in range(30))) as port:
        streams, tags = played(source_of(port, 20.5), CHANNELS)
    assert streams.shape == (CHANNELS, 20.5 * LENGTH)
    assert numbers_of(streams[:, : 20 * LENGTH].astype(np.complex64)) == list(range(20))
    for told in tags:
        at_start = {name: value for (offset, name), value in told.items() if offset == 0}
        seconds, fraction = at_start.pop("rx_time")
        assert begin - 30 * LENGTH / RATE <= seconds + fraction <= time.time()
        assert at_start == {
            "rx_freq": 433.9e6, "rx_rate": RATE, "rx_gain": pytest.approx(20.7), "sync_state": 4, "frames_lost": 0,
        }  # fmt: skip
        assert {name for offset, name in told if offset} <= {"rx_time"}


def test_gaps_and_retunes_are_tagged_where_they_are():
    stream = [
        packet(0), packet(1), packet(2, phase=5), packet(3), packet(4)[:100], packet(5),
        packet(6, frequency_hz=868.3e6, changes=1), packet(7, frequency_hz=868.3e6, changes=1, gain_db=1.4), packet(8),
    ]  # fmt: skip
    with sending(*stream) as port:
        streams, tags = played(source_of(port, 6), CHANNELS)
    assert numbers_of(streams.astype(np.complex64)) == [0, 1, 3, 5, 6, 7]
    for told in tags:
        by_name = {}
        for (offset, name), value in told.items():
            by_name.setdefault(name, {})[offset // LENGTH] = value
        assert by_name["doamc_capture"] == {2: 2 * LENGTH, 3: 3 * LENGTH, 4: 4 * LENGTH}
        assert by_name["frames_lost"] == {0: 0, 2: 0, 3: 1}
        assert by_name["rx_freq"][0] == 433.9e6 and by_name["rx_freq"][4] == 868.3e6
        assert by_name["rx_gain"][4] == pytest.approx(20.7) and by_name["rx_gain"][5] == pytest.approx(1.4)


def test_no_batch_crosses_a_gap():
    stream = [packet(k, phase=5 if k in (10, 11, 25) else 4) for k in range(60)]
    with sending(*stream) as port:
        source, kept, flowgraph = source_of(port, 56), collector(), gr.top_block()
        cutter = snapshot_buffer(CHANNELS, 3 * LENGTH, 3 * LENGTH, sample_rate=0)
        for k in range(CHANNELS):
            flowgraph.connect((source, k), (cutter, k))
        flowgraph.msg_connect(cutter, "snapshots", kept, "in")
        run(flowgraph)
    # of 57 packets that pass, 10 and 11 are missing after the tenth, 25 after the 23rd
    passed = [k for k in range(60) if k not in (10, 11, 25)]
    triples = [passed[3 * k : 3 * k + 3] for k in range(18)]
    whole = [t for t in triples if t[2] - t[0] == 2]
    found = []
    for message in kept.messages:
        samples = np.array(message["snapshots"], np.complex64).reshape(CHANNELS, -1)
        found.append(numbers_of(samples))
    assert found == whole and len(whole) == 16


def test_status_tells_link_version_counters_and_what_the_receiver_says():
    receiver = Receiver()
    with rogue(receiver.serve) as control, sending(packet(0), packet(1, noise=1)) as port:
        source = source_of(
            port, control_port=control, frequency_hz=868.3e6, gain_db="auto", settling=4.0, sample_rate=2.4e6
        )
        kept, flowgraph = collector(), gr.top_block()
        sinks = [blocks.null_sink(gr.sizeof_gr_complex) for _ in range(CHANNELS)]
        for k, sink in enumerate(sinks):
            flowgraph.connect((source, k), sink)
        flowgraph.msg_connect(source, "status", kept, "in")
        flowgraph.start()
        try:
            wait_for(lambda: receiver.frequency_hz == 868.3e6 and receiver.gain_db == -1)
            post = source.to_basic_block()._post
            post(pmt.intern("control"), pmt.to_pmt({"gain_db": 20.0, "stability_delay_ms": 5000}))
            post(pmt.intern("control"), pmt.to_pmt({"squelch": 0.5}))
            wait_for(lambda: (receiver.gain_db, receiver.delay_ms) == (19.7, 5000))
            wait_for(lambda: kept.messages and kept.messages[-1].get("receiver", {}).get("gain_db") == 19.7)
            wait_for(lambda: source.counters["control_failures"] == 1)
        finally:
            flowgraph.stop()
            flowgraph.wait()
    for message in kept.messages:
        validate(message)
    told = [m for m in kept.messages if m.get("receiver", {}).get("gain_db") == 19.7][-1]
    assert told["receiver"]["protocol"] == 2 and told["receiver"]["mode"] == "coherent"
    assert told["receiver"]["frequency_hz"] == 868.3e6
    assert "unsynchronised" in {m["link"] for m in kept.messages}
    assert told["counters"]["passed"] == 1 and told["counters"]["noise_source"] == 1


@pytest.mark.parametrize("known", [False, True])
def test_version_1_is_found_and_its_control_server_used(known):
    with emulator() as server:
        source = krakensdr_source(
            version=1 if known else "auto", port=server.port, control_port=server.control_port, n_elements=CHANNELS,
            gain_db=[1.4, 2.7, 3.7],
        )  # fmt: skip
        flowgraph = gr.top_block()
        probes = [blocks.probe_signal_c() for _ in range(CHANNELS)]
        for k, probe in enumerate(probes):
            flowgraph.connect((source, k), probe)
        flowgraph.start()
        try:
            wait_for(lambda: server.control.gains_db == [1.4, 2.7, 3.7])
            assert source.status()["receiver"] == {"protocol": 1}
        finally:
            flowgraph.stop()
            flowgraph.wait()
        assert server.left == 0 and server.ended is None


def test_a_run_without_a_server_says_which_ports_it_tried():
    source, kept, flowgraph = source_of(1, version=2), collector(), gr.top_block()
    sinks = [blocks.null_sink(gr.sizeof_gr_complex) for _ in range(CHANNELS)]
    for k, sink in enumerate(sinks):
        flowgraph.connect((source, k), sink)
    flowgraph.msg_connect(source, "status", kept, "in")
    flowgraph.start()
    wait_for(lambda: any("127.0.0.1:1: " in (m["last_error"] or "") for m in kept.messages))
    flowgraph.stop()
    flowgraph.wait()
    for message in kept.messages:
        validate(message)
    assert "receiver" not in kept.messages[-1] or kept.messages[-1]["receiver"] == {"protocol": 2}


def test_the_old_name_is_version_1_of_the_same_block():
    old = heimdall_source(n_elements=3)
    assert isinstance(old, krakensdr_source) and old.name() == "heimdall_source" and old.client.version == 1
    assert (old.client.session.port, old.settings._controllers[0]._control._address[1]) == (5000, 5001)


@pytest.mark.parametrize(
    "wrong", [{"version": 3}, {"settling": -1.0}, {"sample_rate": 0.0}, {"port": -1}, {"control_port": -2},
              {"frequency_hz": 1e12}, {"gain_db": 50.1}, {"gain_db": [1.0, 2.0]}],
)  # fmt: skip
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ReceiverError, match="expected"):
        krakensdr_source(**wrong)
