"""From the emulator of version 2 to directions: a ring that is wired clockwise, as the manual says."""

import pytest
from gnuradio import gr
from gr_doamc import doa_estimator, krakensdr_source, snapshot_buffer

from doamc.krakensdr.scene import Scene
from doamc.krakensdr.version2.emulator import Payloads, SuiteEmulator, Times
from doamc.krakensdr.wiring import channel_order
from doamc.spec import load_spec
from tests.gr.running import collector, run

AZIMUTH_DEG = 40.0, 200.0


def directions(element_of_channel):
    """What `ml` finds when channel k is taken for this element of a counter-clockwise ring, deg, ascending."""
    spec = load_spec("uca5")
    scene = Scene(spec, list(AZIMUTH_DEG), 20.0, 3, channel_order(spec, "clockwise"))
    payloads = Payloads(scene.draw, 5, 4096, count=30)
    with SuiteEmulator(payloads, 4e5, times=Times(cooling=0.05), paced=False, room=4) as server:
        source = krakensdr_source(
            version=2, port=server.port, control_port=-1, sample_rate=4e5, settling=0.0, duration=0.2
        )
        cutter = snapshot_buffer(5, 1024, hop=20_000, sample_rate=4e5, array="uca5")
        estimator, kept, flowgraph = doa_estimator("uca5", "ml", 2), collector(), gr.top_block()
        for channel, element in enumerate(element_of_channel):
            flowgraph.connect((source, channel), (cutter, element))
        flowgraph.msg_connect(cutter, "snapshots", estimator, "snapshots")
        flowgraph.msg_connect(estimator, "estimates", kept, "in")
        run(flowgraph, 60.0)
        assert source.counters["noise_source"] > 0  # of the calibration, which came first
    assert kept.messages
    return [sorted(s["azimuth_deg"] % 360 for s in message["sources"]) for message in kept.messages]


def test_element_m_of_a_counter_clockwise_ring_is_antenna_minus_m():
    for found in directions([0, 4, 3, 2, 1]):
        assert found == pytest.approx(AZIMUTH_DEG, abs=1.0)  # some ten deviations of 1024 snapshots at 20 dB


def test_who_takes_it_for_counter_clockwise_sees_the_mirror_image():
    mirrored = sorted(-a % 360 for a in AZIMUTH_DEG)
    for found in directions([0, 1, 2, 3, 4]):
        assert found == pytest.approx(mirrored, abs=1.0)
