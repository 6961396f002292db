"""Segments of a capture: no batch across a border, times with gaps, limits before memory is taken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.errors import RecordingError
from doamc.snapshots.segments import MAX_BATCH_SAMPLES, MAX_BATCHES, Capture, Segment, check_sizes, lay_out


class Numbers(Capture):
    """Samples that are their own numbers, in segments of these lengths."""

    def __init__(self, lengths, rate=None):
        super().__init__()
        ends = np.cumsum(lengths).tolist()
        self.path, self.n_channels, self.n_samples, self.sample_rate_hz = "numbers", 2, ends[-1], rate
        self.segments = [Segment(end - n, end, 1e6 * i) for i, (n, end) in enumerate(zip(lengths, ends, strict=True))]

    def read(self, start, count):
        return np.tile(np.arange(start, start + count, dtype=np.complex64), (2, 1))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 12), st.data())
def test_blocks_lie_within_one_segment_each_in_order_without_overlap(lengths, length, data):
    capture = Numbers(lengths)
    room = sum(n // length for n in lengths)
    assert capture.capacity(length) == room
    with pytest.raises(RecordingError, match="ask for fewer"):
        capture.starts(room + 1, length)
    if not room:
        return
    batches = data.draw(st.integers(1, room))
    starts = capture.starts(batches, length)
    assert len(starts) == batches and (np.diff(starts) >= length).all()
    segment = capture.segment_of(starts)
    assert (segment == capture.segment_of(starts + length - 1)).all()
    first = data.draw(st.integers(0, batches - 1))
    some = range(first, data.draw(st.integers(first + 1, batches)))
    assert capture.starts_within(some, batches, length).tolist() == starts[first : some.stop].tolist()
    assert np.array_equal(capture.read_blocks(starts, length), capture.cut(batches, length))
    assert capture.frequencies_hz(starts).tolist() == [1e6 * s for s in segment]
    cut = capture.cut(batches, length)
    assert np.array_equal(cut[:, 0].real, starts[:, None] + np.arange(length))


def test_one_segment_is_cut_evenly_from_its_first_sample_to_its_last():
    assert Numbers([40]).starts(3, 4).tolist() == [0, 18, 36]
    # of 2 + 8 places every third is taken; those of a segment then span it
    assert Numbers([9, 33]).starts(4, 4).tolist() == [0, 9, 23, 38]
    assert Numbers([5] * 9).starts(3, 5).tolist() == [0, 20, 40]  # one place a segment: evenly over the segments


def test_time_runs_on_but_for_gaps_and_never_back():
    marks = [(0, 1e8, 50.0, None), (10, 2e8, None, None), (20, 1e8, 53.0, None), (30, 1e8, 53.5, None)]
    segments = lay_out(marks, 40, 10.0)  # a second each; two seconds before the third are missing
    assert [s.begins_s for s in segments] == pytest.approx([0.0, 1.0, 3.0, 4.0])
    assert [s.time for s in segments] == pytest.approx([50.0, 51.0, 53.0, 54.0])
    assert [s.frequency_hz for s in segments] == [1e8, 2e8, 1e8, 1e8]
    told = lay_out([(0, None, None, 7.0), (10, None, None, 9.5)], 20, 10.0)
    assert [s.begins_s for s in told] == pytest.approx([0.0, 2.5]) and told[0].time is None
    assert [s.begins_s for s in lay_out(marks, 40, None)] == [None] * 4


def test_samples_before_the_first_mark_and_empty_marks():
    segments = lay_out([(5, 1e8, None, None), (5, 2e8, None, None)], 12, None)
    assert [(s.start, s.stop, s.frequency_hz) for s in segments] == [(0, 5, None), (5, 12, 2e8)]
    assert [(s.start, s.stop) for s in lay_out([], 3, 1.0)] == [(0, 3)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.lists(st.floats(0, 9), min_size=5, max_size=5))
@settings(max_examples=50)
def test_a_sample_is_found_by_its_time(lengths, gaps):
    capture = Numbers(lengths, rate=10.0)
    marks = [(s.start, None, None, 10.0 * i + gaps[i]) for i, s in enumerate(capture.segments)]
    capture.segments = lay_out(marks, capture.n_samples, 10.0)
    samples = np.arange(capture.n_samples)
    times = capture.stream_times_s(samples)
    assert (np.diff(times) > 0.099).all()
    assert [capture.sample_at(float(t)) for t in times] == samples.tolist()
    assert capture.sample_at(float(times[-1]) + 0.1) is None and capture.sample_at(-0.1) is None


def test_sizes_are_refused_before_memory_is_taken():
    capture = Numbers([10])
    capture.n_channels, capture.segments = 5, [Segment(0, 10**12)]  # a sparse file of 40 TB
    for batches, length in ((1, 10**8), (10**9, 1), (100, MAX_BATCH_SAMPLES // 5 + 1)):
        with pytest.raises(RecordingError, match="at most"):
            capture.starts(batches, length)
    check_sizes("x", MAX_BATCHES, 5, MAX_BATCH_SAMPLES // 5)


def test_neighbours_are_read_at_once_and_others_apart():
    capture = Numbers([1000])
    read, asked = capture.read, []
    capture.read = lambda start, count: asked.append((start, count)) or read(start, count)
    blocks = capture.read_blocks(np.array([0, 10, 20, 300, 312]), 10)
    assert asked == [(0, 30), (300, 22)]  # a gap of a fifth is read, too
    assert blocks[:, 0, 0].real.tolist() == [0, 10, 20, 300, 312] and blocks.shape == (5, 2, 10)


def test_some_of_a_trillion_blocks_take_the_memory_of_these_alone():
    capture = Numbers([10])
    capture.segments = [Segment(0, 10**15, 1e6), Segment(10**15, 2 * 10**15, 2e6)]
    starts = capture.starts_within(range(10**12 - 2, 10**12 + 2), 2 * 10**12, 1000)
    assert starts.tolist() == [10**15 - 2000, 10**15 - 1000, 10**15, 10**15 + 1000]
