"""Samples for an alignment are collected exactly, however the stream is cut."""

import numpy as np
from gr_doamc.correction.alignment import Alignment
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.errors import CalibrationError

N, SIZE, SKIP = 3, 64, 10
GAINS = np.array([1.0, 0.5j, -2.0])


def received(length, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(length) + 1j * rng.standard_normal(length)
    return (GAINS[:, None] * common).astype(np.complex64)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_the_estimate_is_of_the_samples_behind_the_wait_wherever_the_stream_is_cut(cuts):
    alignment, y = Alignment(N, SIZE, 0, 10.0), received(2000)
    y[:, :SKIP] = y[:, SKIP + SIZE :].max()  # would spoil the estimate
    alignment.begin(None, "noise source", SKIP)
    found, at = None, 0
    for cut in [*cuts, 200]:
        work, done = [row[at : at + cut] for row in y], 0
        while done < cut:
            done += alignment.take(work, done)
            result = alignment.result()
            if result is not None:
                assert found is None and at + done == SKIP + SIZE  # once, at the first sample that follows
                found = result
        at += cut
        assert alignment.missing == max(0, SKIP + SIZE - max(at, SKIP))
    np.testing.assert_allclose(found.gains, GAINS / GAINS[0], rtol=1e-5)


def test_a_refused_estimate_is_the_error_and_the_next_one_begins_anew():
    alignment = Alignment(N, SIZE, 0, 10.0)
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal((N, SIZE)) + 1j * rng.standard_normal((N, SIZE))).astype(np.complex64)
    alignment.begin(None, "noise source")
    assert alignment.take(list(noise), 0) == SIZE
    assert isinstance(alignment.result(), CalibrationError) and alignment.result() is None
    alignment.begin(None, "noise source")
    assert alignment.missing == SIZE and alignment.take(list(received(SIZE)), 0) == SIZE
    assert alignment.result().ratio_db > 40 and not alignment.busy


def test_delays_are_sought_beside_the_stream():
    alignment, y = Alignment(2, 4096, 8, 10.0), received(4200)
    late = np.stack([y[0, 50:4146], y[0, 53:4149]])  # channel 1 is three samples early
    alignment.begin(None, "noise source")
    alignment.take(list(late), 0)
    found = alignment.result()
    if found is None:  # as a rule: it takes a while
        assert alignment.busy
        alignment.join(60)
        found = alignment.result()
    assert found.lag_samples.tolist() == [0, -3] and not alignment.busy
