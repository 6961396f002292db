from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.calibration import FadingMatrix
from doamc.errors import CalibrationError
from tests.doamc.calibration.signals import normal


def run(fading, x, events, cuts=()):
    """Outputs of streams cut into blocks; events: sample -> (matrix, length of the fade)."""
    y = np.full(x.shape, np.nan, np.complex64)
    edges = sorted({0, x.shape[1], *cuts, *events})
    for start, stop in pairwise(edges):
        if start in events:
            fading.fade_to(*events[start])
        fading.apply([row[start:stop] for row in x], [row[start:stop] for row in y])
    return y


@settings(max_examples=40)
@given(
    size=st.integers(1, 20_000), fade=st.integers(0, 12_000), begin=st.integers(0, 20_000), data=st.data(),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_any_cut_gives_the_faded_product(size, fade, begin, data, seed):
    rng = np.random.default_rng(seed)
    x, first, second = (normal(rng, *shape).astype(np.complex64) for shape in ((3, size), (3, 3), (3, 3)))
    begin = min(begin, size)
    cuts = data.draw(st.lists(st.integers(0, size), max_size=5))
    y = run(FadingMatrix(3), x, {0: (first, 0), begin: (second, fade)} if begin else {0: (first, 0)}, cuts)
    k = np.clip(np.arange(size) - begin + 1, 0, fade + 1)
    share = (1 - np.cos(np.pi * k / (fade + 1))) / 2
    expected = (1 - share) * (first @ x) + share * (second @ x) if begin else first @ x
    assert np.abs(y - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


def test_the_unit_matrix_and_a_switch_are_exact():
    x = normal(np.random.default_rng(0), 4, 30_000).astype(np.complex64)
    assert np.array_equal(run(FadingMatrix(4), x, {}), x)
    y = run(FadingMatrix(4), x, {12_345: (2j * np.eye(4), 0)})
    assert np.array_equal(y[:, :12_345], x[:, :12_345]) and np.array_equal(y[:, 12_345:], 2j * x[:, 12_345:])


def test_no_step_is_larger_than_the_fade_allows_even_when_overtaken():
    rng = np.random.default_rng(1)
    matrices = [np.eye(5) + 0.5 * normal(rng, 5, 5) for _ in range(3)]
    x = np.tile(normal(rng, 5, 1), 6000).astype(np.complex64)  # constant: only W moves
    length = 1000
    events = {500: (matrices[0], length), 900: (matrices[1], length), 3000: (matrices[2], length)}
    y = run(FadingMatrix(5), x, events, cuts=(700, 1234))
    # a step is at most pi / (2 (F + 1)) of the way; one that begins midway has a shorter one
    way = max(np.linalg.norm(b @ x[:, 0] - a @ x[:, 0]) for a in (np.eye(5), *matrices) for b in matrices)
    steps = np.linalg.norm(np.diff(y, axis=1), axis=0)
    assert steps.max() < way * np.pi / (2 * (length + 1)) + 1e-5
    assert steps[1000:1800].max() > 0 and np.allclose(y[:, -1], matrices[2] @ x[:, 0], atol=1e-5)


def test_the_matrix_tells_where_it_is():
    fading = FadingMatrix(2)
    x = np.zeros((2, 5), np.complex64)
    fading.fade_to(3 * np.eye(2), 9)
    assert np.array_equal(fading.matrix, np.eye(2))
    run(fading, x, {})
    # sample 4 of a fade of 9: k + 1 = 5 of 10, half of the way
    assert fading.matrix == pytest.approx(2 * np.eye(2), abs=1e-6)
    run(fading, x, {})
    assert np.array_equal(fading.matrix, 3 * np.eye(2))


def test_what_does_not_fit_is_refused():
    for matrix, length in ((np.eye(3), 0), (np.full((2, 2), np.inf), 0), (np.eye(2), -1)):
        with pytest.raises(CalibrationError, match="expected a finite matrix 2 x 2"):
            FadingMatrix(2).fade_to(matrix, length)
