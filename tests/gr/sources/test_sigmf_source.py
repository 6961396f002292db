import json
import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import sigmf_source, snapshot_buffer

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_write import write_recording
from tests.gr.running import collector, run

RATE = 20e3


@pytest.fixture
def recording(tmp_path):
    rng = np.random.default_rng(1)
    samples = rng.standard_normal((3, 2000)) + 1j * rng.standard_normal((3, 2000))
    path = tmp_path / "a.sigmf-meta"
    write_recording(path, samples, sample_rate_hz=RATE, frequency_hz=433.9e6, datatype="ci16_le")
    return path


def play(source, limit=None):
    """Samples (N, T) of a source of N streams, or (T, N) of one stream of vectors, and the tags of the first."""
    flowgraph, ports = gr.top_block(), source.output_signature().max_streams()
    width = source.output_signature().sizeof_stream_item(0) // 8
    sinks = [blocks.vector_sink_c(width) for _ in range(ports)]
    heads = [blocks.head(8 * width, limit or 2**40) for _ in range(ports)]
    for k in range(ports):
        flowgraph.connect((source, k), heads[k], sinks[k])
    run(flowgraph)
    assert source.failure is None
    data = np.array([s.data() for s in sinks])
    return (data.reshape(-1, width) if width > 1 else data), sinks[0].tags()


def test_streams_are_the_channels_of_the_file(recording):
    streams, _ = play(sigmf_source(str(recording), 3, pace=False))
    assert np.array_equal(streams, Recording(recording).read(0, 2000))


def test_one_stream_of_vectors_is_the_same(recording):
    vectors, _ = play(sigmf_source(str(recording), vector=True, pace=False))
    assert np.array_equal(vectors.T, Recording(recording).read(0, 2000))


def test_every_capture_has_its_tags_and_time_shows_the_gaps(recording):
    """Two captures with a second between them, played twice: 0.1 s of samples and 1.1 s of time a turn."""
    meta = json.loads(recording.read_text())
    moments = [f"2026-01-02T03:04:0{s}Z" for s in ("5.25", "6.3")]
    meta["captures"] = [
        {"core:sample_start": start, "core:frequency": frequency, "core:datetime": moment}
        for start, frequency, moment in zip((0, 1000), (100e6, 200e6), moments, strict=True)
    ]
    recording.write_text(json.dumps(meta))
    _, tags = play(sigmf_source(str(recording), repeat=True, pace=False, duration=4000 / RATE))
    told = {key: [] for key in ("rx_freq", "rx_time", "rx_rate", "doamc_capture")}
    for t in tags:
        told[pmt.symbol_to_string(t.key)].append((t.offset, pmt.to_python(t.value)))
    assert told["rx_freq"] == [(0, 100e6), (1000, 200e6), (2000, 100e6), (3000, 200e6)]
    assert told["rx_rate"] == [(k, RATE) for k in (0, 1000, 2000, 3000)]
    assert told["doamc_capture"] == [(k, k) for k in (1000, 2000, 3000)]
    assert [offset for offset, _ in told["rx_time"]] == [0, 1000, 2000, 3000]
    seconds = [whole - 1767323045 + fraction for _, (whole, fraction) in told["rx_time"]]
    assert seconds == pytest.approx([0.25, 1.3, 1.35, 2.4], abs=1e-6)


def test_the_clock_comes_again_every_second(tmp_path):
    path = tmp_path / "slow.sigmf-meta"
    write_recording(path, np.ones((2, 25), complex), sample_rate_hz=10.0, frequency_hz=1e8)
    _, tags = play(sigmf_source(str(path), repeat=True, pace=False, duration=5.0))
    clock = [(t.offset, sum(pmt.to_python(t.value))) for t in tags if pmt.symbol_to_string(t.key) == "rx_time"]
    assert clock == [(k, pytest.approx(k / 10)) for k in (0, 10, 20, 25, 35, 45)]


def test_no_batch_crosses_a_border_and_each_has_its_frequency(recording):
    meta = json.loads(recording.read_text())
    starts = ((0, 1e8), (930, 2e8))
    meta["captures"] = [{"core:sample_start": start, "core:frequency": frequency} for start, frequency in starts]
    recording.write_text(json.dumps(meta))
    flowgraph, kept, told = gr.top_block(), collector(), collector()
    source = sigmf_source(str(recording), vector=True, pace=False)
    buffer = snapshot_buffer(3, 100, sample_rate=0, vector=True)
    flowgraph.connect(source, buffer)
    flowgraph.msg_connect(buffer, "snapshots", kept, "in")
    flowgraph.msg_connect(buffer, "status", told, "in")
    run(flowgraph)
    assert [b.seq for b in kept.batches] == [k for k in range(20) if k != 9]
    assert [b.frequency_hz for b in kept.batches] == [1e8] * 9 + [2e8] * 10
    samples = Recording(recording).read(0, 2000)
    assert all(np.array_equal(b.snapshots, samples[:, 100 * b.seq : 100 * b.seq + 100]) for b in kept.batches)
    (status,) = told.messages
    assert status["counters"] == {"produced": 9, "across": 1} and "1 batches left out" in status["last_error"]


@pytest.mark.parametrize("size", [1500, 2000, 5300])
def test_repeat_begins_again_and_duration_ends(recording, size):
    streams, _ = play(sigmf_source(str(recording), repeat=True, pace=False, duration=size / RATE))
    expected = np.tile(Recording(recording).read(0, 2000), 3)[:, :size]
    assert np.array_equal(streams, expected)


def test_without_repeat_the_recording_ends_before_a_longer_duration(recording):
    streams, _ = play(sigmf_source(str(recording), pace=False, duration=10.0))
    assert streams.shape == (3, 2000)


def test_pace_is_that_of_the_recording(recording):
    begin = time.monotonic()
    play(sigmf_source(str(recording), repeat=True, pace=True, duration=0.6))
    assert time.monotonic() - begin > 0.4  # a throttle may run ahead by one buffer


def test_tags_tell_rate_frequency_and_time(recording):
    meta = json.loads(recording.read_text())
    meta["captures"][0]["core:datetime"] = "2026-01-02T03:04:05.25Z"
    recording.write_text(json.dumps(meta))
    _, tags = play(sigmf_source(str(recording), 3, pace=False))
    told = {pmt.symbol_to_string(t.key): pmt.to_python(t.value) for t in tags}
    assert all(t.offset == 0 for t in tags)
    assert told == {"rx_rate": RATE, "rx_freq": 433.9e6, "rx_time": (1767323045, 0.25)}


def test_rate_time_and_frequency_reach_the_batches(recording):
    flowgraph, kept = gr.top_block(), collector()
    source = sigmf_source(str(recording), vector=True, pace=False)
    buffer = snapshot_buffer(3, 50, hop=500, sample_rate=0, vector=True)
    flowgraph.connect(source, buffer)
    flowgraph.msg_connect(buffer, "snapshots", kept, "in")
    run(flowgraph)
    samples = Recording(recording).read(0, 2000)
    assert len(kept.batches) == 4
    for k, batch in enumerate(kept.batches):
        assert np.array_equal(batch.snapshots, samples[:, 500 * k : 500 * k + 50])
        assert (batch.frequency_hz, batch.sample_rate) == (433.9e6, RATE)
        assert batch.sample_time == pytest.approx(500 * k / RATE)
        assert batch.rx_time == pytest.approx(500 * k / RATE)


def test_a_truncated_recording_is_refused(recording):
    data = recording.with_suffix(".sigmf-data")
    data.write_bytes(data.read_bytes()[:-5])
    with pytest.raises(RecordingError, match="truncated"):
        sigmf_source(str(recording), 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_elements": 5}, "expected 5 channels"),
        ({"file": "nothing.sigmf-meta"}, "found no file"),
        ({"duration": -1.0}, "duration"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(recording, arguments, words):
    with pytest.raises(RecordingError, match=words):
        sigmf_source(**({"file": str(recording)} | arguments))


def test_a_recording_without_a_rate_cannot_be_paced(recording):
    meta = json.loads(recording.read_text())
    del meta["global"]["core:sample_rate"]
    recording.write_text(json.dumps(meta))
    with pytest.raises(RecordingError, match="core:sample_rate"):
        sigmf_source(str(recording))
    streams, tags = play(sigmf_source(str(recording), pace=False))
    assert streams.shape == (3, 2000)
    assert "rx_rate" not in {pmt.symbol_to_string(t.key) for t in tags}
