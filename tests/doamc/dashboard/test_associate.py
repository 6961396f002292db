"""Bearings of the same emitter are found among those of several."""

import math

import numpy as np
import pytest

from doamc.dashboard.associate import associate

POSITIONS = np.array([[0.0, 0.0], [1200.0, -300.0], [700.0, 1500.0], [-400.0, 900.0]])


def heard(points, positions, std, errors):
    """Bearings of emitters at receivers, in the order of the emitters."""
    away = np.asarray(points)[None] - positions[:, None]
    exact = np.arctan2(away[..., 0], away[..., 1]) + errors
    return [[(float(b), std) for b in row] for row in exact]


@pytest.mark.parametrize("count", [3, 4])
def test_emitters_are_told_apart(count):
    """100 draws of two emitters at least 400 m apart, bearings good to a degree, sources shuffled at every receiver."""
    generator = np.random.default_rng(count)
    positions, std, right = POSITIONS[:count], math.radians(1.0), 0
    for _ in range(100):
        points = generator.uniform((100, 100), (900, 1200), (2, 2))
        while np.hypot(*(points[0] - points[1])) < 400:
            points = generator.uniform((100, 100), (900, 1200), (2, 2))
        rows = heard(points, positions, std, std * generator.standard_normal((count, 2)))
        orders = [generator.permutation(2) for _ in rows]
        found = associate(positions, [[row[i] for i in order] for row, order in zip(rows, orders, strict=True)])
        truth = {tuple(int(np.flatnonzero(order == emitter)[0]) for order in orders) for emitter in range(2)}
        right += set(found) == truth
    assert right >= 90


def test_one_emitter_in_three_bearings_that_one_receiver_hears_twice():
    rows = heard([(500.0, 500.0)], POSITIONS[:3], math.radians(1.0), 0.0)
    rows[1].insert(0, (rows[1][0][0] + 1.0, math.radians(1.0)))  # stronger, and of another emitter
    assert associate(POSITIONS[:3], rows) == [(0, 1, 0)]


def test_precise_bearings_are_preferred_to_vague_ones():
    """A bearing known to 30 degrees agrees with almost anything; its likelihood is small all the same."""
    rows = heard([(500.0, 500.0)], POSITIONS[:3], math.radians(1.0), 0.0)
    rows[1].insert(0, (rows[1][0][0] - 0.3, math.radians(30.0)))
    assert associate(POSITIONS[:3], rows)[0] == (0, 1, 0)


def test_the_strongest_are_taken_where_nothing_can_be_told():
    two = heard([(500.0, 500.0), (900.0, 700.0)], POSITIONS[:2], math.radians(1.0), 0.0)
    assert associate(POSITIONS[:2], two) == [(0, 0)]
    parallel = [[(0.5, 0.01)]] * 3
    assert associate(POSITIONS[:3], parallel) == [(0, 0, 0)]
    many = [[(0.1 * k, 0.01), (1.0, 0.01)] for k in range(9)]
    assert associate(np.random.default_rng(0).uniform(0, 1e3, (9, 2)), many) == [(0,) * 9]
