"""Streams in, messages of signals out: the whole block, with real streams and messages."""

import gr_doamc
import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr

from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene
from doamc.errors import DoamcError, SnapshotError
from doamc.estimates import Subscriber, validate
from doamc.protocol import SPECTRUM_TOPIC
from doamc.spec import load_spec
from tests.doamc.bands.captures import CENTRE_HZ, RATE_HZ, emitter, grid
from tests.gr.running import collector, run

SCENE = (
    emitter("nfm", -60e3, 12.5e3, 40.0, 15.0),
    emitter("4fsk", 30e3, 12.5e3, 200.0, 15.0, ((0.2, 0.5),)),
)


def samples(seconds=0.8, emitters=SCENE):
    return receive_band(load_spec("uca5"), BandScene(CENTRE_HZ, RATE_HZ, seconds, 1, emitters))


def tag(offset, key, value):
    return gr.tag_utils.python_to_tag((offset, pmt.intern(key), pmt.to_pmt(value), pmt.PMT_F))


def found(y, tags=(), **options):
    """Messages of signals, and of status, of samples (N, T)."""
    options = {"array": "uca5", "method": "music", "when_full": "wait", "sources": 1} | options
    flowgraph, block = gr.top_block(), gr_doamc.signal_finder(**options)
    for k, row in enumerate(y):
        flowgraph.connect(blocks.vector_source_c(row.tolist(), False, 1, list(tags)), (block, k))
    signals, status = collector(), collector()
    flowgraph.msg_connect(block, "signals", signals, "in")
    flowgraph.msg_connect(block, "status", status, "in")
    run(flowgraph)
    return signals.messages, status.messages, block


def test_every_signal_is_told_many_times_and_at_last_once():
    signals, status, _ = found(samples(), sample_rate=RATE_HZ, frequency=CENTRE_HZ)
    for m in signals:
        m["sources"] = m["sources"] or []
        validate(m)
    assert [m["seq"] for m in signals] == list(range(len(signals)))
    counts = status[-1]["counters"]
    assert status[-1]["state"] == "stopped"
    assert counts["received"] == counts["used"] == 40 and counts["dropped"] == counts["failed"] == 0
    assert counts["updates"] == 8 and counts["ended"] == 2
    long, short = ([m for m in signals if m["id"] == k] for k in (1, 2))
    assert len(long) == 8 + 1 and 3 <= len(short) - 1 <= 5
    for messages, e in ((long, SCENE[0]), (short, SCENE[1])):
        last = messages[-1]
        assert last["ended"] and not any(m["ended"] for m in messages[:-1])
        assert last["frequency_hz"] == pytest.approx(e.frequency_hz, abs=2e3)
        assert len({m["track"] for m in messages[2:]}) == 1 and last["track"]
        for m in messages[1:]:
            assert m["sources"][0]["azimuth_deg"] == pytest.approx(e.azimuth_deg, abs=3.0)
    assert (short[-1]["start_s"], short[-1]["stop_s"]) == (pytest.approx(0.2, abs=0.01), pytest.approx(0.5, abs=0.01))
    assert set(long[0]["latency_ms"]) == {"buffer", "inference", "total"}


def spectra(seconds, rate):
    """Messages with the spectrum of so many seconds, so many a second."""
    flowgraph, seen = gr.top_block(), collector()
    options = {"array": "uca5", "method": "music", "when_full": "wait", "sources": 1, "spectrum_rate": rate}
    block = gr_doamc.signal_finder(**options, sample_rate=RATE_HZ, frequency=CENTRE_HZ)
    for k, row in enumerate(samples(seconds)):
        flowgraph.connect(blocks.vector_source_c(row.tolist(), False), (block, k))
    flowgraph.msg_connect(block, "spectrum", seen, "in")
    run(flowgraph)
    return seen.messages


def test_the_spectrum_is_told_beside_and_published():
    """Half a second at ten messages a second, five slices each; a reader of ZMQ gets what the ports told."""
    seen = spectra(0.52, 10.0)
    assert [(m["seq"], m["slices"], m["dropped_slices"]) for m in seen] == [(k, 5, 0) for k in range(5)]
    for m in seen:
        above = m["power_dbfs"] - m["floor_dbfs"]
        at = m["low_hz"] + (int(above.argmax()) + 0.5) * m["step_hz"]
        assert min(abs(at - e.frequency_hz) for e in SCENE) < 6.5e3 and above.max() > 10.0
    with Subscriber(
        (publisher := gr_doamc.zmq_publisher("tcp://127.0.0.1:*")).address, topics=(SPECTRUM_TOPIC,)
    ) as sub:
        come = None
        while come is None:  # ZMQ subscriptions take a moment
            publisher._on_spectrum(pmt.to_pmt(seen[0]))
            come = sub.receive(0.02)
        publisher.stop()
    assert come[1]["power_dbfs"] == pytest.approx(seen[0]["power_dbfs"], abs=1e-4)
    assert sub.malformed == 0 and publisher.counters["failed"] == 0


def test_no_spectrum_where_none_is_wished_for():
    seen = spectra(0.2, 0.0)
    assert seen == []


def test_a_new_frequency_ends_all_signals_and_begins_anew():
    y = samples(0.8, SCENE[:1])
    half = y.shape[1] // 2
    tags = [tag(0, "rx_rate", RATE_HZ), tag(0, "rx_freq", CENTRE_HZ), tag(0, "rx_time", (100, 0.5)),
            tag(half, "rx_freq", CENTRE_HZ + 1e6)]  # fmt: skip
    signals, status, _ = found(y, tags)
    last = [m for m in signals if m["ended"]]
    assert [m["id"] for m in last] == [1, 2]
    assert last[1]["frequency_hz"] - last[0]["frequency_hz"] == pytest.approx(1e6, abs=2e3)
    assert (last[0]["stop_s"], last[1]["start_s"]) == (pytest.approx(0.4, abs=0.01), pytest.approx(0.4, abs=0.01))
    assert last[0]["time"] == pytest.approx(100.5, abs=0.01) and last[1]["time"] == pytest.approx(100.9, abs=0.01)
    assert status[-1]["counters"]["ended"] == 2


def test_lost_frames_are_left_out_of_the_time_and_end_no_signal():
    y = samples(0.8, SCENE[:1])
    half = y.shape[1] // 2
    tags = [tag(0, "rx_rate", RATE_HZ), tag(0, "rx_freq", CENTRE_HZ), tag(0, "rx_time", (0, 0.0)),
            tag(half, "frames_lost", 3), tag(half, "rx_time", (0, 0.6))]  # fmt: skip
    signals, _, block = found(y, tags)
    (last,) = [m for m in signals if m["ended"]]
    assert last["stop_s"] == pytest.approx(0.8 + 0.2, abs=0.03)
    assert block.sink.across < grid().slice_samples + grid().overlap  # what was held of one when samples were lost


def test_a_stream_without_a_rate_ends_with_the_cause():
    _, status, block = found(samples(0.1))
    assert isinstance(block.failure, SnapshotError)
    assert any("rx_rate" in str(m["last_error"]) for m in status)


@pytest.mark.parametrize(
    "options",
    [
        {"when_full": "never"}, {"queue_size": 0}, {"update_rate": 0.0}, {"sources": "some"}, {"array": "none"},
        {"spectrum_rate": -1.0}, {"method": "none"}, {"sample_rate": 240e3, "resolution": 1e6}, {"channels": [(1.0,)]},
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(options):
    with pytest.raises(DoamcError):
        gr_doamc.signal_finder(**{"array": "uca5"} | options)


def test_a_channel_outside_the_band_is_told():
    _, status, _ = found(samples(0.1), sample_rate=RATE_HZ, frequency=CENTRE_HZ, channels=[(500e6, 12.5e3)])
    assert any("channel" in str(m["last_error"]) for m in status)


def test_a_flowgraph_may_be_started_again():
    y = samples(0.5, SCENE[:1])
    flowgraph, signals, status = gr.top_block(), collector(), collector()
    block = gr_doamc.signal_finder(
        array="uca5", method="music", when_full="wait", sources=1, sample_rate=RATE_HZ, frequency=CENTRE_HZ
    )
    sources = [blocks.vector_source_c(row.tolist(), False) for row in y]
    for k, source in enumerate(sources):
        flowgraph.connect(source, (block, k))
    flowgraph.msg_connect(block, "signals", signals, "in")
    flowgraph.msg_connect(block, "status", status, "in")
    for _ in range(2):
        run(flowgraph)
        for source in sources:
            source.rewind()
    last = [m for m in signals.messages if m["ended"]]
    assert [m["id"] for m in last] == [1, 2]  # numbers go on
    assert last[0]["stop_s"] == last[1]["stop_s"] == pytest.approx(0.5, abs=0.02)  # time begins anew
    assert [m["seq"] for m in signals.messages] == list(range(len(signals.messages)))
    runs = [m["counters"] for m in status.messages if m["state"] == "stopped"]
    assert len(runs) == 2 and runs[0] == runs[1]
    size = block.engine.setup.lengths(RATE_HZ).slice
    assert (runs[0]["received"] - 1) * size < y.shape[1] - runs[0]["left"] <= runs[0]["received"] * size


@pytest.mark.parametrize(("more", "parts"), [(0, 0), (10, 0), (14, 0), (15, 1), (59, 3)])
def test_samples_that_fill_no_part_of_a_slice_are_counted(more, parts):
    """Five slices of 60 frames, and some frames more, of which 15 are a part; 37 samples are no frame."""
    g = grid()
    count = 5 * g.slice_samples + more * g.hop + g.overlap + 37
    _, status, _ = found(samples(0.13)[:, :count], sample_rate=RATE_HZ, frequency=CENTRE_HZ)
    counts = status[-1]["counters"]
    assert counts["received"] == counts["used"] == 5 + (parts > 0)
    assert counts["left"] == count - 5 * g.slice_samples - 15 * parts * g.hop


def test_a_signal_that_begins_in_the_last_shorter_slice_is_told():
    """Nine slices of 20 ms and three quarters of one, where the band ends or the receiver is tuned anew."""
    y = samples(0.195, (emitter("4fsk", 30e3, 12.5e3, 200.0, 20.0, ((0.181, 1.0),)),))
    tags = [tag(0, "rx_rate", RATE_HZ), tag(0, "rx_freq", CENTRE_HZ), tag(y.shape[1], "rx_freq", CENTRE_HZ + 1e6)]
    for stream in (y, np.concatenate([y, 0.001 * y[:, : 2 * grid().slice_samples]], axis=1)):
        signals, _, _ = found(stream, tags)
        (last,) = [m for m in signals if m["ended"] and m["frequency_hz"] < CENTRE_HZ + 0.5e6]
        assert (last["start_s"], last["stop_s"]) == (pytest.approx(0.181, abs=0.006), pytest.approx(0.195, abs=0.006))
        assert last["sources"][0]["azimuth_deg"] == pytest.approx(200.0, abs=5.0)


def test_slices_are_told_when_their_last_sample_has_come():
    """One slice and what its last frame reaches over, and no sample more: the slice is used."""
    g = grid()
    y = samples(0.03)[:, : g.slice_samples + g.overlap]
    _, status, _ = found(y, sample_rate=RATE_HZ, frequency=CENTRE_HZ)
    assert status[-1]["counters"]["used"] == 1 and status[-1]["counters"]["left"] == g.overlap
