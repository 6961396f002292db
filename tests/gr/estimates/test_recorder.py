"""Recorder: every estimate and every batch, and the annotations that join them."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc import doa_estimator, recorder, snapshot_buffer

from doamc.errors import RecordingError
from doamc.estimates import read_records, validate
from doamc.snapshots.sigmf_files import Recording
from tests.gr.running import batch_message, posting, run, scene


def test_estimates_and_batches_of_a_run_are_kept_and_joined(tmp_path):
    samples = scene((-20.0, 30.0), 2000)
    flowgraph, block = gr.top_block(), recorder(str(tmp_path / "run"), array="ula8")
    cutter = snapshot_buffer(8, 100, hop=500, sample_rate=1e5, array="ula8")
    estimator = doa_estimator("ula8", "music", 2)
    sources = [blocks.vector_source_c(row.tolist()) for row in samples]
    for k, source in enumerate(sources):
        flowgraph.connect(source, (cutter, k))
    for port, sink in (("snapshots", estimator), ("snapshots", block)):
        flowgraph.msg_connect(cutter, port, sink, port)
    for port in ("estimates", "status"):
        flowgraph.msg_connect(estimator, port, block, port)
    run(flowgraph)
    lines = list(read_records(tmp_path / "run.jsonl"))
    for line in lines:
        validate(line)
    assert sorted(line["batch_seq"] for line in lines) == [0, 1, 2, 3] and block.estimates == block.batches == 4
    recording = Recording(tmp_path / "run.sigmf-meta")
    assert np.array_equal(recording.cut(4, 100), [samples[:, 500 * k : 500 * k + 100] for k in range(4)])
    # two sources a batch, at the samples of that batch in the recording
    found = {(a["core:sample_start"], a["doamc:azimuth_deg"]) for a in recording.metadata["annotations"]}
    assert found == {(100 * m["batch_seq"], s["azimuth_deg"]) for m in lines for s in m["sources"]}
    assert len(found) == 8 and {a["core:sample_count"] for a in recording.metadata["annotations"]} == {100}


def test_batches_alone_up_to_the_limit(tmp_path):
    block = recorder(str(tmp_path / "run"), max_batches=3)
    run(posting([batch_message(np.full((2, 10), k + 1), k) for k in range(5)], block, "snapshots"))
    assert Recording(tmp_path / "run.sigmf-meta").cut(3, 10)[:, 0, 0].tolist() == [1, 2, 3]
    assert block.counters == {"failed": 0, "left_out": 2}


def test_without_batches_there_is_no_recording(tmp_path):
    block = recorder(str(tmp_path / "run"), max_batches=0)
    run(posting([batch_message(np.ones((2, 10)))], block, "snapshots"))
    assert [p.name for p in tmp_path.iterdir()] == ["run.jsonl"]


def test_what_cannot_be_kept_is_told_and_the_rest_goes_on(tmp_path):
    block = recorder(str(tmp_path / "run"))
    messages = [batch_message(np.ones((2, 10)), 0), pmt.intern("nonsense"), batch_message(np.ones((3, 10)), 1),
                batch_message(np.ones((2, 10)), 2)]  # fmt: skip
    flowgraph = posting(messages, block, "snapshots", ("status",))
    run(flowgraph)
    assert block.batches == 2 and block.counters["failed"] == 2
    assert "shape" in flowgraph.collectors["status"].messages[-1]["last_error"]


def test_places_that_cannot_be_written_are_refused(tmp_path):
    for wrong in ({"file": ""}, {"file": str(tmp_path / "no" / "run")}, {"max_batches": -1}):
        with pytest.raises(RecordingError):
            recorder(**({"file": str(tmp_path / "run")} | wrong))


def test_a_full_log_does_not_starve_the_recording(tmp_path):
    (tmp_path / "run.jsonl").symlink_to("/dev/full")
    flowgraph, block = gr.top_block(), recorder(str(tmp_path / "run"))
    cutter, estimator = snapshot_buffer(8, 100, sample_rate=1e5, array="ula8"), doa_estimator("ula8", "music", 1)
    for k, row in enumerate(scene((-20.0,), 300)):
        flowgraph.connect(blocks.vector_source_c(row.tolist()), (cutter, k))
    for port, sink in (("snapshots", estimator), ("snapshots", block)):
        flowgraph.msg_connect(cutter, port, sink, port)
    for port in ("estimates", "status"):
        flowgraph.msg_connect(estimator, port, block, port)
    run(flowgraph)
    assert (block.estimates, block.batches, block.counters["failed"]) == (0, 3, 3)
    assert "No space left" in block.last_error
    assert len(Recording(tmp_path / "run.sigmf-meta").metadata["annotations"]) == 3


def test_an_estimate_that_comes_before_its_batch_is_joined_with_it(tmp_path):
    block = recorder(str(tmp_path / "run"), array="ula8")
    batches = [batch_message(scene((-20.0,), 100), seq) for seq in range(2)]
    estimating = posting(batches, doa_estimator("ula8", "music", 1), "snapshots", ("estimates",))
    run(estimating)
    for message in reversed(estimating.collectors["estimates"].raw):
        block._on_estimate(message)
    for message in batches:
        block._on_snapshots(message)
    block.stop()
    annotations = Recording(tmp_path / "run.sigmf-meta").metadata["annotations"]
    assert [a["core:sample_start"] for a in annotations] == [0, 100]
