"""The cheapest assignment of rows to columns, for the few that one estimate has."""

import numpy as np
from numpy.typing import ArrayLike


def assign(
    cost: ArrayLike,  # shape: (n, m), n <= m, finite
) -> list[int]:
    """Column of each row, no column twice, with the least sum of costs.

    Successive shortest augmenting paths with potentials, n m operations on vectors of m: 64 by 64 takes some 20 ms
    (Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment problems",
    Computing 38, 1987). scipy has a quicker one, but nothing else here needs scipy to run.
    """
    c = np.asarray(cost, dtype=float)
    n, m = c.shape
    row_price, column_price = np.zeros(n), np.zeros(m)
    row_of = np.full(m, -1)
    for start in range(n):
        distance, before = np.full(m, np.inf), np.full(m, -1)  # of the shortest path to each column, and its last step
        done = np.zeros(m, dtype=bool)
        row, column, length = start, -1, 0.0
        while row >= 0:
            reached = length + c[row] - row_price[row] - column_price
            better = ~done & (reached < distance)
            distance[better], before[better] = reached[better], column
            column = int(np.where(done, np.inf, distance).argmin())
            length, done[column] = distance[column], True
            row = int(row_of[column])
        others = done.copy()
        others[column] = False
        row_price[start] += length
        row_price[row_of[others]] += length - distance[others]
        column_price[others] -= length - distance[others]
        while column >= 0:  # turn the path over
            previous = int(before[column])
            row_of[column] = start if previous < 0 else row_of[previous]
            column = previous
    columns = np.flatnonzero(row_of >= 0)
    return [int(k) for k in columns[np.argsort(row_of[columns])]]
