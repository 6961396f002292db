from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.calibration import Aligner
from doamc.errors import CalibrationError
from tests.doamc.calibration.signals import normal


def run(aligner, x, cuts=(), events=None):
    """Outputs of streams cut into blocks; events: sample -> (weights, delays), at cuts too."""
    y = np.full(x.shape, np.nan, np.complex64)
    edges = sorted({0, x.shape[1], *cuts, *(events or {})})
    for start, stop in pairwise(edges):
        if events and start in events:
            aligner.set(*events[start])
        aligner.apply([row[start:stop] for row in x], [row[start:stop] for row in y])
    return y


@settings(max_examples=40)
@given(
    size=st.integers(1, 50_000), max_delay=st.sampled_from([0, 1, 7, 1000, 20_000]), data=st.data(),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_any_cut_gives_weighted_and_delayed_streams(size, max_delay, data, seed):
    rng = np.random.default_rng(seed)
    x = normal(rng, 3, size).astype(np.complex64)
    cuts = data.draw(st.lists(st.integers(0, size), max_size=5))
    when = data.draw(st.integers(0, size))
    weights = normal(rng, 2, 3).astype(np.complex64)
    delays = data.draw(st.lists(st.lists(st.integers(0, max_delay), min_size=3, max_size=3), min_size=2, max_size=2))
    y = run(Aligner(3, max_delay), x, cuts, {0: (weights[0], delays[0]), when: (weights[1], delays[1])})
    for k in range(3):
        for which, part in ((0, slice(0, when)), (1, slice(when, size))) if when else ((1, slice(0, size)),):
            shifted = np.r_[np.zeros(delays[which][k]), x[k]][:size]
            assert np.abs(y[k, part] - (weights[which, k] * shifted)[part]).max(initial=0) < 1e-5


def test_before_it_is_set_streams_pass_unchanged():
    x = normal(np.random.default_rng(0), 2, 100).astype(np.complex64)
    for max_delay in (0, 10):
        assert np.array_equal(run(Aligner(2, max_delay), x), x)


def test_what_does_not_fit_is_refused():
    for arguments in ((0, 0), (2, -1)):
        with pytest.raises(CalibrationError, match="expected"):
            Aligner(*arguments)
    aligner = Aligner(2, 5)
    for weights, delays in (([1, 1], [0, 6]), ([1, 1], [-1, 0]), ([1], [0]), ([1, np.nan], [0, 0])):
        with pytest.raises(CalibrationError, match="expected"):
            aligner.set(np.array(weights, complex), np.array(delays))
