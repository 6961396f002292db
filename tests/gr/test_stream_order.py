"""Blocks between streams that are numbered as they are plugged in and estimates of elements."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source, coupling_corrector, doa_estimator, recorder, sigmf_source, snapshot_buffer

from doamc.calibration import load_coupling, reference_response, save_coupling
from doamc.errors import RecordingError
from doamc.estimates import make_message, validate
from doamc.snapshots.channel_order import channel_order
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_write import write_recording
from doamc.spec import load_spec
from tests.doamc.calibration.signals import normal
from tests.doamc.helpers.rings import clockwise_snapshots, numbered, ring
from tests.gr.running import batch_message, collector, posting, run
from tests.gr.streaming import passed

ORDER = [2, 0, 4, 1, 3]


def estimates_of(batches, array, method="posterior", frequency_hz=None):
    block = doa_estimator(array, method, 1, queue_size=20)
    messages = [batch_message(y, k, frequency_hz=frequency_hz) for k, y in enumerate(batches)]
    flowgraph = posting(messages, block, "snapshots", ("estimates",))
    run(flowgraph)
    return sorted(flowgraph.collectors["estimates"].messages, key=lambda m: m["batch_seq"])


def received(source, size):
    """Samples (N, size) of a source."""
    flowgraph, n = gr.top_block(), source.output_signature().max_streams()
    sinks = [blocks.vector_sink_c() for _ in range(n)]
    for k, sink in enumerate(sinks):
        flowgraph.connect((source, k), blocks.head(8, size), sink)
    run(flowgraph)
    return np.array([s.data() for s in sinks])


def test_streams_of_a_ring_wired_clockwise_are_right_as_shipped_and_mirrored_otherwise():
    pytest.importorskip("PyNEC", reason="PyNEC, which has wheels for x86-64 only")
    azimuth = [22.5, 112.5, 217.5, 300.0]
    batches = clockwise_snapshots(azimuth)
    found = estimates_of(batches, "krakensdr")
    for message, truth in zip(found, azimuth, strict=True):
        validate(message)
        assert message["channels"] == [0, 4, 3, 2, 1] and message["array"] == "krakensdr"
        assert abs((message["sources"][0]["azimuth_deg"] - truth + 180) % 360 - 180) < 1.0
    mirrored = estimates_of(batches, "kraken5")
    for message, truth in zip(mirrored, azimuth, strict=True):
        assert "channels" not in message
        assert abs((message["sources"][0]["azimuth_deg"] + truth + 180) % 360 - 180) < 1.0


def test_estimates_and_coupling_do_not_depend_on_the_numbering(tmp_path):
    y = received(coupled_array_source("uca5", [{"azimuth_deg": 77.0}], 15.0, 1e5, None, 4), 200)
    (plain,) = estimates_of([y], "uca5", "ml")
    (other,) = estimates_of([y[ORDER]], str(numbered(tmp_path / "n.toml", "uca5", ORDER)), "ml")
    assert other["sources"] == plain["sources"] and other["coupling"] == plain["coupling"]


def test_simulated_streams_are_numbered_as_the_array_says(tmp_path):
    emitters = [{"azimuth_deg": 40.0}, {"track": [(0, 100.0), (1, 140.0)]}]
    arrays = "uca5", str(numbered(tmp_path / "n.toml", "uca5", ORDER))
    plain, other = (coupled_array_source(a, emitters, 10.0, 1e5, None, 5) for a in arrays)
    assert np.array_equal(received(other, 3000), received(plain, 3000)[ORDER])
    assert other.truth(0.0)["coupling"] == plain.truth(0.0)["coupling"]  # of elements


def write_ring(path, positions):
    rng = np.random.default_rng(2)
    y = rng.standard_normal((5, 300)) + 1j * rng.standard_normal((5, 300))
    write_recording(path, y, sample_rate_hz=1e5, frequency_hz=433.9e6, positions_wavelengths=positions)
    return str(path)


@pytest.mark.parametrize(
    ("array", "order"), [("", range(5)), ("kraken5", [3, 0, 4, 1, 2]), ("krakensdr", [3, 2, 1, 4, 0])]
)
@pytest.mark.parametrize("vector", [False, True])
def test_streams_of_a_recording_are_numbered_as_the_array_says(tmp_path, array, order, vector):
    elements = [1, 3, 4, 0, 2]  # of the channels in the file
    file = write_ring(tmp_path / "a.sigmf-meta", ring(72.0)[elements])
    source = sigmf_source(file, 5, pace=False, vector=vector, array=array)
    if vector:
        flowgraph, sink = gr.top_block(), blocks.vector_sink_c(5)
        flowgraph.connect(source, sink)
        run(flowgraph)
        y = np.array(sink.data()).reshape(-1, 5).T
    else:
        y = received(source, 300)
    assert np.array_equal(y, Recording(file).read(0, 300)[list(order)])
    spec = load_spec(array or "kraken5")
    assert not array or [elements[k] for k in order] == list(spec.channels)


def test_a_recording_of_other_antennas_is_refused(tmp_path):
    file = write_ring(tmp_path / "a.sigmf-meta", ring(first_deg=30.0))
    with pytest.raises(RecordingError, match=r"turned by 30\.0 deg counter-clockwise"):
        sigmf_source(file, pace=False, array="krakensdr")
    with pytest.raises(RecordingError, match="expected an array of 5 elements, found 8 of ula8"):
        sigmf_source(file, pace=False, array="ula8")
    assert sigmf_source(file, pace=False).n_elements == 5


def coupling(seed, n=5):
    matrix = np.eye(n) + 0.2 * normal(np.random.default_rng(seed), n, n)
    return matrix / np.trace(matrix) * n


def estimate(matrix, **extra):
    return pmt.to_pmt(
        make_message(
            seq=0, time=1.79e9, sample_time=0.0, frequency_hz=None, array="n", method="ml", azimuth_deg=[1.0],
            std_deg=None, power_db=[0.0], noise_power=0.1, coupling=matrix, snapshots=10, latency_ms={},
            dropped_batches=0, **extra,
        )
    )  # fmt: skip


def test_a_coupling_of_elements_is_taken_out_of_streams(tmp_path):
    c = coupling(1)
    z = normal(np.random.default_rng(0), 5, 20_000)  # of uncoupled elements
    y = (c @ z)[ORDER].astype(np.complex64)
    np.savez(tmp_path / "c.npz", coupling=c[None], channels=ORDER)
    made = passed(coupling_corrector(5, str(tmp_path / "c.npz"), 0.0, 0), y)
    assert np.abs(made.samples - z[ORDER]).max() < 1e-4
    block = coupling_corrector(5, str(tmp_path / "kept.toml"), 0.0, 0)
    message = estimate(c, channels=ORDER)
    passed(block, y, stops=[(0, [message], lambda: block.counters["updates"])], port="estimates")
    assert block.counters == {"updates": 1, "without_coupling": 0, "failed": 0}
    assert block.coupling == pytest.approx(c[np.ix_(ORDER, ORDER)])
    kept = load_coupling(tmp_path / "kept.toml")[0]  # of streams, as what is taken out
    assert kept == pytest.approx(block.coupling)
    made = passed(coupling_corrector(5, str(tmp_path / "kept.toml"), 0.0), y)
    assert np.abs(made.samples - z[ORDER]).max() < 1e-4


def test_an_estimate_of_impossible_channels_is_refused():
    block = coupling_corrector(5)
    message = estimate(coupling(1), channels=[0, 1, 2, 3, 3])
    samples = np.ones((5, 20_000), np.complex64)
    passed(block, samples, stops=[(0, [message], lambda: block.counters["failed"])], port="estimates")
    assert block.counters["failed"] == 1 and block.counters["updates"] == 0
    assert "channels of an estimate must be the element of each of 5 streams" in block.last_error


def test_an_emitter_aligns_streams_by_their_own_antennas(tmp_path):
    c, array = coupling(2), str(numbered(tmp_path / "n.toml", "kraken5", ORDER))
    plain, _ = reference_response("emitter", 5, "kraken5", 25.0)
    assert reference_response("emitter", 5, array, 25.0)[0] == pytest.approx(plain[ORDER])
    np.savez(tmp_path / "c.npz", coupling=c[None], channels=ORDER)
    save_coupling(tmp_path / "c.toml", c[np.ix_(ORDER, ORDER)])
    for file in ("c.npz", "c.toml"):
        assert reference_response("emitter", 5, array, 25.0, tmp_path / file)[0] == pytest.approx((c @ plain)[ORDER])


def test_what_is_recorded_stays_by_stream_and_says_so(tmp_path):
    y = received(coupled_array_source("krakensdr", [{"azimuth_deg": 77.0}], 15.0, 1e5, None, 4), 300)
    block = recorder(str(tmp_path / "run"), array="krakensdr")
    batches = [
        batch_message(y[:, k : k + 100], k, frequency_hz=f) for k, f in ((0, None), (100, 433.9e6), (200, 434e6))
    ]
    run(posting(batches, block, "snapshots"))
    recording = Recording(tmp_path / "run.sigmf-meta")
    assert np.array_equal(recording.read(0, 300), y)
    assert recording.metadata["global"]["doamc:channels"] == [0, 4, 3, 2, 1]
    told = ["spatial:element_geometry" in c for c in recording.metadata["captures"]]
    assert told == [False, True, False]  # in the first that tells a frequency
    assert recording.positions_m * 433.9e6 / 299792458.0 == pytest.approx(ring())
    channels, said = channel_order(recording, load_spec("kraken5"))
    assert channels == (0, 4, 3, 2, 1) and "clockwise" in said
    assert channel_order(recording, load_spec("krakensdr")) == (channels, None)


@pytest.mark.parametrize("array", ["a label", "ula8", ""])
def test_a_label_that_is_no_array_of_these_channels_tells_no_positions(tmp_path, array):
    block = recorder(str(tmp_path / "run"), array=array)
    run(posting([batch_message(np.ones((5, 20)), 0, frequency_hz=1e8)], block, "snapshots"))
    recording = Recording(tmp_path / "run.sigmf-meta")
    assert recording.positions_m is None and recording.array == (array or None)


def test_a_batch_of_streams_stays_by_stream():
    source, kept = coupled_array_source("krakensdr", [{"azimuth_deg": 77.0}], 15.0, 1e5, None, 4), collector()
    flowgraph, cutter = gr.top_block(), snapshot_buffer(5, 100, sample_rate=1e5, array="krakensdr")
    for k in range(5):
        flowgraph.connect((source, k), blocks.head(8, 100), (cutter, k))
    flowgraph.msg_connect(cutter, "snapshots", kept, "in")
    run(flowgraph)
    again = coupled_array_source("krakensdr", [{"azimuth_deg": 77.0}], 15.0, 1e5, None, 4)
    assert np.array_equal(kept.batches[0].snapshots, received(again, 100))
