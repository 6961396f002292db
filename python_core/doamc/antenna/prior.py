"""A prior over extended coupling matrices: mean and principal patterns of drawn arrays.

The components are those of the response over the sector, not of E, whose blocks overlap. Before, the part of each
deviation along the mean response of its azimuth is taken out: a source's own phase and power hide it, so that it
needs no component of its own; patterns of E are the regression of the draws on the components' scores.

All draws together, the scores z have zero mean and unit covariance. Careful and rough builders are two normal
distributions within: since their covariances average to the identity, one rotation of z makes both diagonal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doamc.antenna.draws import Drawn, azimuth_grid, extended_steering, in_sector
from doamc.errors import SpecificationError

TARGET_DB = -40.0  #: observable power that components may leave, relative to that of the response
MOST = 64  #: components


@dataclass(frozen=True)
class DrawnPrior:
    """E(z) = mean + sum_k z_k patterns_k; C = E projection. Over all draws z has zero mean and unit covariance.

    mean: (F, N, J N). patterns: (F, K, N, J N). projection: (F, J N, N), at F frequencies; the same z means the same
    array at each. weights: (M,) shares of the kinds of builders, M = 2,
    or 1 where all draws are of one kind. scales: (M, K) standard deviations of z in each. spread_db, residual_db:
    observable power of the deviations of the draws, before and after the components, relative to the response.
    """

    mean: np.ndarray
    patterns: np.ndarray
    projection: np.ndarray
    weights: np.ndarray
    scales: np.ndarray
    spread_db: float
    residual_db: float


def fit_prior(
    drawn: list[list[Drawn]],
    positions: list[np.ndarray],  # shape: (N, >= 2) each, nominal, wavelengths
    sector_deg: tuple[float, float],
    target_db: float = TARGET_DB,
) -> DrawnPrior:
    """Prior of draws: as few components as leave `target_db` of observable power.

    drawn: for each array what it is at every frequency; positions: at every frequency. Raises SpecificationError when
    there are too few draws to tell components from chance.
    """
    parts, flat, total = [], [], 0.0
    for at, places in zip(zip(*drawn, strict=True), positions, strict=True):
        extended, projection = common_scale(at)
        mean = extended.mean(0)
        grid = azimuth_grid(places)
        a = extended_steering(places, grid[in_sector(grid, sector_deg)], mean.shape[1] // len(mean))
        deviation = hide_own_scale((extended - mean) @ a, mean @ a)
        flat.append(np.concatenate([deviation.real, deviation.imag], 1).reshape(len(drawn), -1))
        total += float(np.linalg.norm(mean @ a)) ** 2
        parts.append((extended - mean, mean, projection))
    scores, size, _ = np.linalg.svd(np.concatenate(flat, 1), full_matrices=False)
    power = size**2 / (len(drawn) * total)
    left = 10 * np.log10(np.maximum(power.sum() - np.concatenate([[0.0], power.cumsum()]), 1e-30))
    count = int(np.argmax(left <= target_db)) or 1
    if count > min(MOST, len(drawn) // 8):
        raise SpecificationError(
            f"{count} components would be needed, with at least 8 draws each and at most {MOST}, "
            f"found {len(drawn)} draws; take more draws, or narrow [antenna.draws]"
        )
    z, weights, scales = by_builder(scores[:, :count] * np.sqrt(len(drawn)), np.array([d[0].rough for d in drawn]))
    patterns = np.stack([np.einsum("dk,dij->kij", z, away) / len(drawn) for away, _, _ in parts])
    mean, projection = (np.stack([p[k] for p in parts]) for k in (1, 2))
    return DrawnPrior(mean, patterns, projection, weights, scales, float(left[0]), float(left[count]))


def by_builder(
    scores: np.ndarray,  # shape: (D, K), unit covariance
    rough: np.ndarray,  # shape: (D,) bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores rotated so that both kinds of builders have them uncorrelated; shares (M,), standard deviations (M, K)."""
    kinds = [kind for kind in (~rough, rough) if kind.sum() > scores.shape[1]]
    if len(kinds) < 2:
        return scores, np.ones(1), np.ones((1, scores.shape[1]))
    first = scores[kinds[0]]
    scores = scores @ np.linalg.eigh(first.T @ first)[1][:, ::-1]
    return scores, np.array([k.mean() for k in kinds]), np.stack([np.sqrt((scores[k] ** 2).mean(0)) for k in kinds])


def common_scale(drawn: Sequence[Drawn]) -> tuple[np.ndarray, np.ndarray]:
    """Extended matrices (D, N, J N) with mean diagonal of E W = 1, and W (J N, N).

    W turns the first block of E, which holds the response exactly, into the nearest to the coupling of port
    impedances and loads, which is what C means elsewhere; they differ by the currents on open-circuited elements.
    """
    extended = np.stack([d.extended for d in drawn])
    n, wide = extended.shape[1:]
    first = extended[:, :, :n]
    gram = np.einsum("dji,djk->ik", first.conj(), first)
    turn = np.linalg.solve(gram, np.einsum("dji,djk->ik", first.conj(), np.stack([d.coupling for d in drawn])))
    projection = np.concatenate([turn, np.zeros((wide - n, n))])
    scale = np.trace(extended @ projection, axis1=1, axis2=2) / n
    return extended / scale[:, None, None], projection


def hide_own_scale(
    deviation: np.ndarray,  # shape: (D, N, G)
    centre: np.ndarray,  # shape: (N, G)
) -> np.ndarray:
    """Deviations without their part along the mean response of each azimuth."""
    unit = centre / np.linalg.norm(centre, axis=0)
    return deviation - unit * np.einsum("ng,dng->dg", unit.conj(), deviation)[:, None]
