import numpy as np
import pmt
import pytest
from gnuradio import blocks, filter, gr
from gr_doamc import snapshot_buffer
from gr_doamc.snapshots.snapshot_buffer import keep_stages
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.errors import SnapshotError
from tests.gr.running import collector, run


def tag(offset, key, value):
    out = gr.tag_t()
    out.offset, out.key, out.value = offset, pmt.intern(key), value
    return out


def rx_time(seconds, fraction):
    return pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction))


def cut(samples, tags=(), vector=False, status=None, **arguments):
    """Batches of samples (N, T); tags are put on the first stream."""
    flowgraph, kept = gr.top_block(), collector()
    n = len(samples)
    buffer = snapshot_buffer(n, vector=vector, **arguments)
    if vector:
        sources = [blocks.vector_source_c(samples.T.ravel().tolist(), False, n, list(tags))]
    else:
        marks = [list(tags)] + [[]] * (n - 1)
        sources = [blocks.vector_source_c(row.tolist(), False, 1, m) for row, m in zip(samples, marks, strict=True)]
    for k, source in enumerate(sources):
        flowgraph.connect(source, (buffer, k))
    flowgraph.msg_connect(buffer, "snapshots", kept, "in")
    if status is not None:
        flowgraph.msg_connect(buffer, "status", status, "in")
    run(flowgraph)
    assert buffer.produced == len(kept.raw)
    return kept.batches, buffer


def numbered(n, size):
    """Samples that tell their channel and their position; float32 holds integers up to 2^24."""
    return (np.arange(size) + 1j * np.arange(n)[:, None]).astype(np.complex64)


@settings(max_examples=25)
@given(
    n=st.integers(2, 4), length=st.integers(1, 9), decimation=st.integers(2, 4), gap=st.integers(0, 30),
    hops=st.integers(0, 12), rest=st.integers(0, 5), vector=st.booleans(),
)  # fmt: skip
def test_batches_hold_exactly_the_samples_they_should(n, length, decimation, gap, hops, rest, vector):
    hop = length * decimation + gap
    samples = numbered(n, hops * hop + min(rest, hop - 1))
    if not samples.size:
        return
    arguments = {"n_snapshots": length, "hop": hop, "decimation": decimation, "sample_rate": 1e3, "array": "x"}
    batches, _ = cut(samples, vector=vector, **arguments)
    assert [b.seq for b in batches] == list(range(hops))
    for k, batch in enumerate(batches):
        assert np.array_equal(batch.snapshots, samples[:, k * hop : k * hop + length * decimation : decimation])
        assert batch.sample_time == pytest.approx(k * hop / 1e3)
        assert (batch.sample_rate, batch.array, batch.rx_time, batch.frequency_hz) == (1e3, "x", None, None)


@pytest.mark.parametrize("hop", [100_000, 65_537, 200_002])
def test_long_hops_are_cut_exactly_too(hop):
    samples = numbered(2, 3 * hop)
    batches, _ = cut(samples, n_snapshots=5, hop=hop, decimation=2, sample_rate=1e6)
    assert len(batches) == 3
    for k, batch in enumerate(batches):
        assert np.array_equal(batch.snapshots, samples[:, k * hop : k * hop + 10 : 2])


@given(st.integers(1, 300), st.integers(1, 20), st.integers(0, 10**6))
def test_stages_keep_the_right_share(length, decimation, gap):
    hop = length * decimation + gap
    stages = keep_stages(length, decimation, hop)
    share = np.prod([m / n for m, n in stages])
    assert share == pytest.approx(length / hop)
    assert all(1 <= m < n for m, n in stages)


def test_tags_give_receiver_time_and_frequency():
    hop, length, rate = 1000, 50, 1e4
    change, jump = 2 * hop + 600, 5 * hop + 7
    tags = [
        tag(0, "rx_time", rx_time(1000, 0.25)), tag(0, "rx_freq", pmt.from_double(100e6)),
        tag(change, "rx_freq", pmt.from_double(200e6)), tag(jump, "rx_time", rx_time(2000, 0.5)),
    ]  # fmt: skip
    batches, _ = cut(numbered(3, 8 * hop), tags, n_snapshots=length, hop=hop, sample_rate=rate)
    assert [b.frequency_hz for b in batches] == [100e6] * 3 + [200e6] * 5
    assert [b.rx_time for b in batches[:5]] == pytest.approx([1000.25 + 0.1 * k for k in range(5)], abs=1e-9)
    # a later tag is placed within half of what a kept vector stands for: hop / (2 L) samples
    later = [2000.5 + (k * hop - jump) / rate for k in (6, 7)]
    assert [b.rx_time for b in batches[6:]] == pytest.approx(later, abs=hop / (2 * length) / rate + 1e-9)


def test_the_rate_may_come_from_a_tag():
    samples = numbered(2, 40)
    tags = [tag(0, "rx_time", rx_time(7, 0.0)), tag(0, "rx_rate", pmt.from_double(20.0))]
    batches, _ = cut(samples, tags, vector=True, n_snapshots=10, sample_rate=0)
    assert [b.sample_time for b in batches] == [0.0, 0.5, 1.0, 1.5]
    assert [b.rx_time for b in batches] == [7.0, 7.5, 8.0, 8.5] and batches[0].sample_rate == 20.0


def test_without_any_rate_the_stream_ends_with_the_cause():
    told = collector()
    batches, buffer = cut(numbered(2, 40), status=told, n_snapshots=10, sample_rate=0)
    assert batches == [] and isinstance(buffer.failure, SnapshotError)
    (status,) = told.messages
    assert status["state"] == "error" and "rx_rate" in status["last_error"]


def test_number_of_streams_may_come_from_the_array():
    buffer = snapshot_buffer(0, 10, array="uca5")
    assert buffer.input_signature().max_streams() == 5


def test_a_stopped_estimator_ends_an_endless_stream():
    flowgraph, buffer = gr.top_block(), snapshot_buffer(2, 10, sample_rate=1.0)
    source = blocks.null_source(8)
    flowgraph.connect((source, 0), (buffer, 0))
    flowgraph.connect((source, 1), (buffer, 1))
    for state in ("running", "stopped"):
        buffer.sink._post(pmt.intern("stop"), pmt.to_pmt({"state": state}))
    run(flowgraph, 10.0)


def behind_filters(tags, samples, told, **arguments):
    """Batches behind hand-made filters that decimate by 96 and shift by 25 kHz, as a user builds them."""
    flowgraph, kept = gr.top_block(), collector()
    buffer = snapshot_buffer(2, 10, **arguments)
    taps = filter.firdes.low_pass(1, RATE, 4e3, 4e3)
    for k in range(2):
        source = blocks.vector_source_c(samples.tolist(), False, 1, list(tags) if k == 0 else [])
        flowgraph.connect(source, filter.freq_xlating_fir_filter_ccc(96, taps, 25e3, RATE), (buffer, k))
    flowgraph.msg_connect(buffer, "snapshots", kept, "in")
    flowgraph.msg_connect(buffer, "status", told, "in")
    run(flowgraph)
    return kept.batches


RATE = 96e3
CLOCK = [tag(k * 96_000, "rx_time", rx_time(50 + k, 0.25)) for k in range(4)]
HEAD = [tag(0, "rx_rate", pmt.from_double(RATE)), tag(0, "rx_freq", pmt.from_double(434e6)), *CLOCK]


def test_what_the_user_says_goes_before_tags_that_filters_left_wrong():
    told, tone = collector(), np.exp(2j * np.pi * 25e3 / RATE * np.arange(4 * 96_000))
    right = {"sample_rate": RATE / 96, "frequency_shift": 25e3}
    batches = behind_filters(HEAD, tone, told, **right)
    assert [b.sample_time for b in batches] == pytest.approx([0.01 * k for k in range(400)])
    assert [b.rx_time for b in batches] == pytest.approx([50.25 + 0.01 * k for k in range(400)])
    assert {b.frequency_hz for b in batches} == {434.025e6} and told.messages == []
    assert np.ptp(batches[9].snapshots.real) < 1e-3  # the filters brought the tone to zero, where it is said to be
    retuned = [tag(192_000, "rx_freq", pmt.from_double(868e6)), tag(192_000, "doamc_capture", pmt.from_uint64(192_000))]
    again = behind_filters([*HEAD, *retuned], tone, told, **right)  # whose place is now that of sample 2000
    assert [b.frequency_hz for b in again] == [434.025e6] * 200 + [868.025e6] * 200  # the shift goes with the tuner
    fixed = behind_filters(HEAD, tone, told, sample_rate=RATE / 96, frequency=99e6, frequency_shift=25e3)
    assert {b.frequency_hz for b in fixed} == {99e6}


def test_a_rate_that_a_filter_left_wrong_is_told():
    told = collector()
    batches = behind_filters(HEAD, np.ones(4 * 96_000), told, sample_rate=0)
    assert batches[-1].sample_rate == RATE  # what the tag says: 96 times too much
    (status,) = told.messages
    assert "expected 96000 samples a second, found 1000 by the clock rx_time" in status["last_error"]


def test_a_rate_that_a_filter_left_wrong_is_told_without_a_clock_by_the_count_of_the_source():
    told, counted = collector(), [tag(k, "doamc_capture", pmt.from_uint64(k)) for k in (192_000, 288_000)]
    batches = behind_filters([*HEAD[:2], *counted], np.ones(4 * 96_000), told, sample_rate=0)
    assert batches[-1].sample_rate == RATE
    (status,) = [s for s in told.messages if "left out" not in s["last_error"]]
    assert "sample 192000 of the source came as sample 2000 or so" in status["last_error"]
    right = collector()
    behind_filters([*HEAD[:2], *counted], np.ones(4 * 96_000), right, sample_rate=RATE / 96)
    assert all("left out" in s["last_error"] for s in right.messages)


def test_coarse_clocks_and_lost_samples_are_no_wrong_rate():
    told, rate = collector(), 10e3
    coarse = [tag(k * 100, "rx_time", rx_time(7, (k * 10 // 7 * 7) / 1000)) for k in range(40)]  # steps of 7 ms
    later = [tag(4000 + k, "rx_time", rx_time(60, k / rate)) for k in (0, 2000)]
    lost = [tag(4000, "frames_lost", pmt.from_uint64(9)), *later]
    batches, _ = cut(numbered(2, 8000), coarse + lost, status=told, n_snapshots=100, sample_rate=rate)
    assert told.messages == [] and len(batches) == 80
    assert batches[-1].rx_time == pytest.approx(60 + 3900 / rate)


def test_losses_one_after_the_other_are_no_wrong_rate():
    told, rate, tags = collector(), 10e3, []
    for frame in range(4):  # the order in which a source of frames tags their first sample
        tags += [
            tag(2000 * frame, "rx_time", rx_time(60 + 5 * frame, 0.0)),
            tag(2000 * frame, "frames_lost", pmt.from_uint64(9)),
        ]
    cut(numbered(2, 8000), tags, status=told, n_snapshots=100, sample_rate=rate)
    assert [m for m in told.messages if "by the clock" in m["last_error"]] == []


@pytest.mark.parametrize(("decimation", "hop"), [(1, 100), (3, 300), (2, 900)])
@pytest.mark.parametrize("border", [4050, 4500, 4501, 4799, 4640, 8999])
@pytest.mark.parametrize("exact", [False, True])
def test_no_batch_crosses_a_border(decimation, hop, border, exact):
    length, told = 100, collector()
    samples = numbered(2, 9000)
    tags = [tag(0, "rx_freq", pmt.from_double(1e8)), tag(border, "rx_freq", pmt.from_double(2e8))]
    tags += [tag(border, "doamc_capture", pmt.from_uint64(border))] * exact
    cuts = {"n_snapshots": length, "hop": hop, "decimation": decimation, "sample_rate": 1e3}
    batches, buffer = cut(samples, tags, status=told, **cuts)
    for batch in batches:
        first = batch.seq * hop
        assert batch.sample_time == pytest.approx(first / 1e3)
        assert np.array_equal(batch.snapshots, samples[:, first : first + length * decimation : decimation])
        last = first + (length - 1) * decimation
        assert batch.frequency_hz == (1e8 if last < border else 2e8) and not first < border <= last
    missing = 9000 // hop - len(batches)
    assert buffer.sink.across == len(told.messages) == missing <= 1
    if hop == length or exact:  # only a batch with samples of both is left out
        assert missing == (0 < border % hop <= (length - 1) * decimation)


@pytest.mark.parametrize(
    "arguments",
    [
        {"frequency": -1.0}, {"frequency": float("inf")}, {"frequency_shift": float("nan")},
        {"n_elements": 0}, {"n_elements": 1}, {"n_snapshots": 0}, {"decimation": 0}, {"sample_rate": -1.0},
        {"sample_rate": float("nan")}, {"n_snapshots": 10, "hop": 9}, {"n_snapshots": 10, "decimation": 3, "hop": 29},
    ],
)  # fmt: skip
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(SnapshotError, match=r"expected|at least"):
        snapshot_buffer(**({"n_elements": 2} | arguments))
