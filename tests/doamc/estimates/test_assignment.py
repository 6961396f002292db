"""The cheapest assignment, against scipy's and against all permutations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from doamc.angles import wrap_deg
from doamc.estimates.assignment import assign
from doamc.estimates.truth import match


def total(cost, columns):
    return sum(cost[i][k] for i, k in enumerate(columns))


@settings(max_examples=150)
@given(st.data())
def test_it_costs_what_scipys_costs(data):
    n = data.draw(st.integers(0, 8))
    m = data.draw(st.integers(n, 10))
    value = data.draw(st.sampled_from([st.integers(0, 3).map(float), st.floats(-1e3, 1e3)]))  # many equal ones, too
    cost = np.array(data.draw(st.lists(st.lists(value, min_size=m, max_size=m), min_size=n, max_size=n))).reshape(n, m)
    columns = assign(cost)
    assert len(columns) == n and len(set(columns)) == n and all(0 <= k < m for k in columns)
    rows, best = linear_sum_assignment(cost)
    assert total(cost, columns) == pytest.approx(cost[rows, best].sum(), abs=1e-6)


def test_as_many_sources_as_a_message_may_have():
    rng = np.random.default_rng(3)
    for shape in ((64, 64), (9, 64)):
        cost = rng.random(shape) ** 2
        _, best = linear_sum_assignment(cost)
        assert assign(cost) == list(best)  # no two cost the same
    truth = rng.uniform(-180, 180, 9)
    order = rng.permutation(9)
    assert match(truth[order] + rng.normal(0, 1e-3, 9), truth) == list(order)


@settings(max_examples=60)
@given(
    st.lists(st.floats(-180, 180), max_size=5), st.lists(st.floats(-180, 180), max_size=5)
)  # fmt: skip
def test_match_is_the_best_of_all(estimates, truths):
    """Estimates beyond the number of truths count as half a turn off."""
    n, p = len(estimates), len(truths)

    def cost(choice):
        return sum(
            180.0**2 if k is None else float(wrap_deg(a - truths[k])) ** 2
            for a, k in zip(estimates, choice, strict=True)
        )

    found = match(np.array(estimates), np.array(truths))
    slots = list(range(p)) + [None] * max(0, n - p)
    assert len(found) == n and sorted(k for k in found if k is not None) == sorted({k for k in found if k is not None})
    assert sum(k is not None for k in found) == min(n, p)
    assert cost(found) == pytest.approx(min(cost(c) for c in itertools.permutations(slots, n)), abs=1e-6)
