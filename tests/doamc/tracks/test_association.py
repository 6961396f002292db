import itertools

import numpy as np
import pytest

from doamc.tracks.association import marginals, propagated


def by_enumeration(ratio):
    """Marginals over every assignment in which no sighting has two emitters."""
    t, m = ratio.shape
    pair, total = np.zeros((t, m)), 0.0
    for choice in itertools.product(range(-1, m), repeat=t):
        used = [c for c in choice if c >= 0]
        if len(used) == len(set(used)):
            weight = np.prod([ratio[i, c] for i, c in enumerate(choice) if c >= 0])
            total += weight
            for i, c in enumerate(choice):
                if c >= 0:
                    pair[i, c] += weight
    return pair / total


def test_messages_are_exact_where_pairs_make_no_loop():
    ratio = np.array([[2.0, 0.7, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.4]])
    pair, missed, strange = propagated(ratio, tolerance=1e-12)
    expected = by_enumeration(ratio)
    np.testing.assert_allclose(pair, expected, atol=1e-10)
    np.testing.assert_allclose(missed, 1 - expected.sum(1), atol=1e-10)
    np.testing.assert_allclose(strange, 1 - expected.sum(0), atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_messages_are_close_where_they_do(seed):
    ratio = np.exp(np.random.default_rng(seed).normal(1.0, 2.0, (4, 4)))
    assert np.abs(propagated(ratio)[0] - by_enumeration(ratio)).max() < 0.12  # what loops cost, as in the paper


def test_two_groups_of_loops_are_exact():
    rng, ratio = np.random.default_rng(3), np.zeros((5, 5))
    ratio[:2, :2], ratio[2:, 2:] = rng.exponential(30.0, (2, 2)), rng.exponential(30.0, (3, 3))
    pair, missed, strange = marginals(ratio[:, [3, 0, 4, 1, 2]])
    expected = by_enumeration(ratio)[:, [3, 0, 4, 1, 2]]
    np.testing.assert_allclose(pair, expected, atol=1e-9)
    np.testing.assert_allclose(missed, 1 - expected.sum(1), atol=1e-9)
    np.testing.assert_allclose(strange, 1 - expected.sum(0), atol=1e-9)


def test_probabilities_add_up():
    pair, missed, strange = propagated(np.random.default_rng(0).exponential(5.0, (6, 9)), tolerance=1e-12)
    np.testing.assert_allclose(pair.sum(1) + missed, 1.0, atol=1e-9)
    np.testing.assert_allclose(pair.sum(0) + strange, 1.0, atol=1e-6)


def test_nothing_on_either_side():
    assert marginals(np.zeros((0, 2)))[2].tolist() == [1.0, 1.0]
    assert marginals(np.zeros((2, 0)))[1].tolist() == [1.0, 1.0]
