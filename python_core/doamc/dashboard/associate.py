"""Which bearings of several receivers belong to the same emitter."""

import math
from itertools import combinations as choose
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: most combinations that are tried: the more receivers, the fewer sources of each are candidates
MAX_COMBINATIONS = 250
MAX_AGREEING, MAX_EMITTERS = 12, 3
#: root of chi-square over its degrees of freedom up to which bearings agree
AGREE = 3.0
#: Gauss-Newton steps from where the distances to the lines are least
_STEPS = 3
_LEAST_STD = math.radians(0.01)


def associate(
    positions_m: ArrayLike,  # shape: (R, 2), east and north
    bearings: list[list[tuple[float, float]]],
) -> list[tuple[int, ...]]:
    """Combinations of bearings, one of each receiver, that meet; the likeliest first, no bearing in two of them.

    bearings: for each of R receivers (bearing, std) in rad, clockwise from north, its strongest source first.
    The score of a combination is `chi^2 + 2 sum ln std` of its bearings about the point that fits them best; the
    smallest is the likeliest. Combinations with `chi^2 <= AGREE^2 (R - 2)` agree. Of the `MAX_AGREEING` likeliest of
    them the largest set is taken in which no bearing occurs twice, of at most `MAX_EMITTERS`, and of several such sets
    the likeliest. Two receivers' bearings always meet, so for R = 2, and when nothing agrees, the strongest bearing of
    each receiver is taken.
    """
    strongest = (0,) * len(bearings)
    candidates = int((MAX_COMBINATIONS + 0.5) ** (1 / len(bearings)))
    if len(bearings) < 3 or candidates < 2:
        return [strongest]
    combinations = np.array(list(product(*(range(min(len(b), candidates)) for b in bearings))))
    chosen = [np.array(b)[combinations[:, i]] for i, b in enumerate(bearings)]
    bearing, std = (np.stack([c[:, k] for c in chosen], axis=1) for k in (0, 1))
    chi2, score = _fit(np.asarray(positions_m, dtype=float), bearing, np.maximum(std, _LEAST_STD))
    likeliest = [k for k in np.argsort(score) if chi2[k] <= AGREE**2 * (len(bearings) - 2)][:MAX_AGREEING]
    agreeing = [(tuple(int(i) for i in combinations[k]), float(score[k])) for k in likeliest]
    sets = [
        members
        for size in range(1, MAX_EMITTERS + 1)
        for members in choose(agreeing, size)
        if all(i != j for (a, _), (b, _) in choose(members, 2) for i, j in zip(a, b, strict=True))
    ]
    best = min(sets, key=lambda members: (-len(members), sum(s for _, s in members)), default=((strongest, 0.0),))
    return [combination for combination, _ in best]


def _fit(
    p: NDArray[np.float64],  # shape: (R, 2)
    bearing: NDArray[np.float64],  # shape: (M, R)
    std: NDArray[np.float64],  # shape: (M, R)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chi-square and score of M combinations; infinite where lines are parallel or meet behind a receiver."""
    weight = np.reciprocal(std**2)
    normal = np.stack([np.cos(bearing), -np.sin(bearing)], axis=2)
    x, fair = _solve(normal, (normal * p).sum(2), weight)
    for _ in range(_STEPS):
        away = x[:, None] - p
        square = np.maximum((away**2).sum(2), 1e-12)
        jacobian = np.stack([away[..., 1], -away[..., 0]], axis=2) / square[..., None]
        step, known = _solve(jacobian, _error(away, bearing), weight)
        x, fair = x + step, fair & known
    away = x[:, None] - p
    chi2 = (weight * _error(away, bearing) ** 2).sum(1)
    ahead = (away[..., 0] * np.sin(bearing) + away[..., 1] * np.cos(bearing)).min(1) > 0
    chi2 = np.where(fair & ahead, chi2, np.inf)
    return chi2, chi2 + 2 * np.log(std).sum(1)


def _error(away: NDArray[np.float64], bearing: NDArray[np.float64]) -> NDArray[np.float64]:
    return (bearing - np.arctan2(away[..., 0], away[..., 1]) + np.pi) % (2 * np.pi) - np.pi


def _solve(
    rows: NDArray[np.float64],  # shape: (M, R, 2)
    values: NDArray[np.float64],  # shape: (M, R)
    weight: NDArray[np.float64],  # shape: (M, R)
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Weighted least squares of M small systems, (M, 2), and whether each has a solution (else zero)."""
    gram = np.einsum("mr,mri,mrj->mij", weight, rows, rows)
    right = np.einsum("mr,mri,mr->mi", weight, rows, values)
    determinant = gram[:, 0, 0] * gram[:, 1, 1] - gram[:, 0, 1] ** 2
    fair = determinant > 1e-9 * (gram[:, 0, 0] + gram[:, 1, 1]) ** 2
    x = np.stack(
        [
            gram[:, 1, 1] * right[:, 0] - gram[:, 0, 1] * right[:, 1],
            gram[:, 0, 0] * right[:, 1] - gram[:, 0, 1] * right[:, 0],
        ],
        axis=1,
    )
    return np.where(fair[:, None], x / np.where(fair, determinant, 1.0)[:, None], 0.0), fair
