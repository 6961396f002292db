"""The source of version 1 in flowgraphs, against the emulator over real sockets."""

import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import doa_estimator, heimdall_source, snapshot_buffer

from doamc.errors import ReceiverError
from doamc.estimates import validate
from doamc.krakensdr.sources import SimulatedFrames
from doamc.krakensdr.version1.emulator import Emulator
from doamc.spec import load_spec
from tests.doamc.krakensdr.version1.serving import CHANNELS, LENGTH, Counting, emulator, wait_for
from tests.gr.running import collector, run
from tests.gr.sources.playing import played


def frames_of(server, frames, **options):
    """Samples (N, T) of so many frames, the tags (frame, name) -> value of each stream and the block."""
    source = source_of(server, duration=frames * LENGTH / 1e5, **options)
    streams, tags = played(source, CHANNELS)
    return streams, [{(offset // LENGTH, name): value for (offset, name), value in t.items()} for t in tags], source


def source_of(server, **options):
    ports = {"port": server.port, "control_port": server.control_port}
    return heimdall_source(**(ports | {"n_elements": CHANNELS, "timeout": 20.0} | options))


def numbers_of(streams):
    """Numbers of the frames that streams are made of; every sample is checked."""
    frames = streams.reshape(CHANNELS, -1, LENGTH)
    assert np.array_equal(frames, frames[:, :, :1] + np.zeros(LENGTH))
    assert np.array_equal(frames[:, :, 0].imag, np.arange(CHANNELS)[:, None] + np.zeros(frames.shape[1]))
    return frames[0, :, 0].real.astype(int).tolist()


def test_streams_are_the_channels_of_the_frames():
    with emulator() as server:
        streams, _, source = frames_of(server, 20.5)
        assert streams.shape == (CHANNELS, round(20.5 * LENGTH))
        assert numbers_of(streams[:, : 20 * LENGTH]) == list(range(20))
        assert source.client.state == "stopped"


def test_tags_tell_time_frequency_rate_gain_state_and_overdrive():
    begin = time.time()
    with emulator() as server:
        server.control.gains_db = [1.5, 20.7, 49.6]
        server.line.overdrive = 0b100
        _, tags, _ = frames_of(server, 6)
    for channel, told in enumerate(tags):
        at_start = {name: value for (frame, name), value in told.items() if frame == 0}
        seconds, fraction = at_start.pop("rx_time")
        assert begin - 0.001 <= seconds + fraction <= time.time()
        assert at_start == {
            "rx_freq": 433.9e6, "rx_rate": 1e5, "rx_gain": [1.5, 20.7, 49.6][channel], "sync_state": 6,
            "overdrive": channel == 2, "frames_lost": 0,
        }  # fmt: skip
        # time at every frame, 0.4 ms apart (stamps are in ms); the rest only where it changes
        assert {k for k in told if k[0] > 0} == {(frame, "rx_time") for frame in range(1, 6)}
        second, later = told[5, "rx_time"]
        assert second + later - seconds - fraction == pytest.approx(5 * 0.4e-3, abs=1.01e-3)


def test_gaps_and_a_new_connection_are_tagged():
    with emulator(at={2: "drop", 3: "close", 5: "channels", 6: "unsynchronised"}) as server:
        streams, tags, source = frames_of(server, 6)
        assert numbers_of(streams) == [0, 1, 3, 5, 8, 9]
        lost = {frame: value for (frame, name), value in tags[0].items() if name == "frames_lost"}
        # frames kept back are not lost: they are counted under their own names
        assert lost == {0: 0, 2: 1, 3: 1}
        counts = source.counters
        assert counts["lost"] == 2 and counts["wrong_channels"] == 1
        assert counts["not_data"] + counts["not_synchronised"] == 1


def test_under_random_faults_every_frame_that_passed_is_in_the_streams_once_and_in_order():
    rates = {"drop": 0.04, "duplicate": 0.04, "truncate": 0.02, "bad-sync": 0.02, "garbage": 0.03, "close": 0.03,
             "unsynchronised": 0.05, "channels": 0.05}  # fmt: skip
    with emulator(rates=rates, seed=5) as server:
        streams, tags, source = frames_of(server, 200)
        numbers = numbers_of(streams)
        assert all(faulty > 0 for name, faulty in server.faulty.items() if name in rates)
    assert len(numbers) == 200 and np.all(np.diff(numbers) > 0)
    lost = sum(value for (_, name), value in tags[1].items() if name == "frames_lost")
    counts = source.counters
    # up to the last frame that left, what is not in the streams was lost or kept back
    assert numbers[-1] + 1 <= counts["frames"] + counts["lost"]
    assert lost <= counts["lost"] and counts["lost"] > 5


def test_a_flowgraph_runs_again_after_a_stop():
    with emulator() as server:
        source, flowgraph = source_of(server), gr.top_block()
        probes = [blocks.probe_signal_c() for _ in range(CHANNELS)]
        for k, probe in enumerate(probes):
            flowgraph.connect((source, k), probe)
        for _ in range(5):  # more often than there are buffers to lose
            passed = source.counters["passed"]
            flowgraph.start()
            wait_for(lambda before=passed: source.counters["passed"] > before + 5)
            flowgraph.stop()
            flowgraph.wait()


def test_a_flowgraph_that_is_stopped_in_the_middle_of_a_frame_leaves_the_server_alive(monkeypatch):
    monkeypatch.setattr("doamc.krakensdr.client._LEAVE_S", 60.0)
    with emulator(paced=True, source=Counting(200.0)) as server:  # a frame is due every 0.2 s: one always is on its way
        source, flowgraph = source_of(server), gr.top_block()
        probes = [blocks.probe_signal_c() for _ in range(CHANNELS)]
        for k, probe in enumerate(probes):
            flowgraph.connect((source, k), probe)
        for _ in range(3):
            passed = source.counters["passed"]
            flowgraph.start()
            wait_for(lambda before=passed: source.counters["passed"] > before)
            flowgraph.stop()
            flowgraph.wait()
            assert source.client.state == "stopped"
            wait_for(lambda: not server.serving)
            assert server.left == 0 and server.ended is None
        assert source.counters["failures"] == 0 and source.counters["connects"] == 3


def test_a_run_without_a_server_ends_when_it_is_stopped_and_says_why():
    server = emulator()
    server.stop()
    source, kept, flowgraph = source_of(server), collector(), gr.top_block()
    sinks = [blocks.null_sink(gr.sizeof_gr_complex) for _ in range(CHANNELS)]
    for k, sink in enumerate(sinks):
        flowgraph.connect((source, k), sink)
    flowgraph.msg_connect(source, "status", kept, "in")
    flowgraph.start()
    wait_for(lambda: any(m["counters"]["failures"] >= 2 for m in kept.messages))
    begin = time.monotonic()
    flowgraph.stop()
    flowgraph.wait()
    assert time.monotonic() - begin < 30.0
    for message in kept.messages:
        validate(message)
    assert kept.messages[-1]["link"] in ("absent", "stopped")
    told = [m for m in kept.messages if m["last_error"]]
    assert told and told[0]["state"] == "error" and "refused" in told[0]["last_error"]


def test_a_server_that_is_killed_and_comes_back_streams_again():
    server = emulator(paced=True)
    server.start()
    source, kept, flowgraph = source_of(server), collector(), gr.top_block()
    probes = [blocks.probe_signal_c() for _ in range(CHANNELS)]
    for k, probe in enumerate(probes):
        flowgraph.connect((source, k), probe)
    flowgraph.msg_connect(source, "status", kept, "in")

    def told(*links):
        """Whether these states were told in this order, others between them."""
        left = iter([m["link"] for m in kept.messages])
        return all(link in left for link in links)

    flowgraph.start()
    try:
        wait_for(lambda: probes[0].level().real > 5)
        server.stop()
        wait_for(lambda: source.client.state == "absent")
        passed = source.counters["passed"]
        server = emulator(paced=True, port=server.port, control_port=server.control_port)
        server.start()
        wait_for(lambda: source.counters["passed"] > passed and told("streaming", "absent", "streaming"))
    finally:
        flowgraph.stop()
        flowgraph.wait()
        server.stop()


def test_settings_go_to_the_control_server_at_the_start_and_by_message():
    with emulator(paced=True) as server:
        source, flowgraph = source_of(server, frequency_hz=868.3e6, gain_db=20.7), gr.top_block()
        sinks = [blocks.null_sink(gr.sizeof_gr_complex) for _ in range(CHANNELS)]
        for k, sink in enumerate(sinks):
            flowgraph.connect((source, k), sink)
        flowgraph.start()
        try:
            wait_for(lambda: server.control.gains_db == [20.7] * 3 and server.control.frequency_hz == 868.3e6)
            session = source.client.session
            wait_for(lambda: session.header is not None and session.header.gains_db == (20.7,) * 3)
            port = pmt.intern("control")
            source.to_basic_block()._post(port, pmt.to_pmt({"gain_db": [1.0, 2.0, 3.0], "squelch": 0.5}))
            source.to_basic_block()._post(port, pmt.to_pmt({"volume": 11}))
            source.to_basic_block()._post(port, pmt.to_pmt({"frequency_hz": -5.0}))
            wait_for(lambda: server.control.squelch == 0.5 and server.control.gains_db == [0.9, 1.4, 2.7])
            wait_for(lambda: source.counters["control_failures"] == 2)
            source.set_frequency(100e6)
            wait_for(lambda: server.control.frequency_hz == 100e6)
        finally:
            flowgraph.stop()
            flowgraph.wait()


def test_from_the_emulator_to_directions():
    spec = load_spec("uca5")
    scene = SimulatedFrames(spec, [40.0, 200.0], snr_db=20.0, cpi_length=4096, sample_rate_hz=4e5, seed=3)
    with Emulator(scene) as server:
        source = heimdall_source(port=server.port, control_port=0, n_elements=5, duration=0.2)
        cutter = snapshot_buffer(5, 1024, hop=20_000, sample_rate=0, array="uca5")
        estimator, kept, flowgraph = doa_estimator("uca5", "ml", 2), collector(), gr.top_block()
        for k in range(5):
            flowgraph.connect((source, k), (cutter, k))
        flowgraph.msg_connect(cutter, "snapshots", estimator, "snapshots")
        flowgraph.msg_connect(estimator, "estimates", kept, "in")
        run(flowgraph, 60.0)
    assert len(kept.messages) == 4
    for message in kept.messages:
        assert message["frequency_hz"] == 433.9e6
        assert message["rx_time"] == pytest.approx(time.time(), abs=120.0)
        found = sorted(s["azimuth_deg"] % 360 for s in message["sources"])
        assert found == pytest.approx([40.0, 200.0], abs=1.0)  # some ten deviations of 1024 snapshots at 20 dB


@pytest.mark.parametrize(
    "wrong", [{"n_elements": 0}, {"n_elements": 33}, {"port": -1}, {"control_port": -2}, {"timeout": 0},
              {"duration": -1}, {"duration": float("inf")}, {"gain_db": [1.0, 2.0]}, {"gain_db": 50.5},
              {"frequency_hz": -1.0}],
)  # fmt: skip
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ReceiverError, match="expected"):
        heimdall_source(**wrong)


def test_without_a_control_port_nothing_can_be_set():
    with pytest.raises(ReceiverError, match="there is no control server"):
        heimdall_source(control_port=0, gain_db=10.0)
