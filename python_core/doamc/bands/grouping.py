"""Bins put together into signals: side by side, and from the same directions.

Two neighbours belong together where the largest eigenvalue of their sum is nearly the sum of their largest eigenvalues:
the same wave then explains both. Where both hold two waves, the two largest eigenvalues are compared. What is lost is
measured against the weaker of the two, so that two emitters in neighbouring channels are told apart by their
directions, whatever their powers.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

#: snapshots' worth of noise in each channel that may be lost by chance, of a strong signal (a chi-squared variable of
#: 2 (N - 1) degrees of freedom is greater once in a hundred thousand times)
BY_CHANCE = 4.0
#: share of the weaker one's energy that may be lost: what frequency, multipath and the model leave
UNLIKE = 0.1
GAP_SHARE = 0.15  #: of the widths of two pieces that a gap between them may have
VALLEY = 0.05  #: power against both peaks beside it at which a valley parts two signals of one direction
SECOND = 0.1  #: share of the first eigenvalue from which on a second one is a wave of its own
FRINGE = 0.2  #: power against the neighbour below which a piece may be its skirt


@dataclass
class Piece:
    """Bins of one signal. white: (N, N) sum of covariances in units of the noise; snapshots: how many it is of."""

    bins: list[int]
    white: NDArray[np.complex128]
    snapshots: float

    def __post_init__(self) -> None:
        values, self.vectors = np.linalg.eigh(self.white)
        self.excess = values[::-1] - self.snapshots
        n = len(values)
        self.rank = 1 + int(n > 2 and self.excess[1] > SECOND * self.excess[0] + 6 * np.sqrt(n * self.snapshots))

    def __add__(self, other: "Piece") -> "Piece":
        return Piece(sorted(self.bins + other.bins), self.white + other.white, self.snapshots + other.snapshots)

    @property
    def energy(self) -> float:
        """Of the waves, in units of the noise power times snapshots."""
        return float(self.excess[: self.rank].sum())

    @property
    def chance(self) -> float:
        """Energy that noise may turn out of the direction of its waves."""
        return BY_CHANCE * len(self.white) * (1 + self.snapshots / max(self.energy, 1e-9))

    def is_like(self, other: "Piece") -> bool:
        """Whether the same waves explain both."""
        rank = min(self.rank, other.rank)
        own, their = self.excess[:rank].sum(), other.excess[:rank].sum()
        lost = own + their - (self + other).excess[:rank].sum()
        weak = self if own < their else other
        return bool(lost < weak.chance + UNLIKE * min(own, their))

    def is_skirt_of(self, other: "Piece") -> bool:
        """Whether this is weak beside another, bin for bin, and in the space of its waves."""
        if self.energy / len(self.bins) > FRINGE * other.energy / len(other.bins):
            return False
        space = other.vectors[:, ::-1][:, : other.rank]
        inside = float(np.einsum("ik,ij,jk->", space.conj(), self.white, space).real) - other.rank * self.snapshots
        return self.energy - inside < self.chance + UNLIKE * self.energy


def group_bins(
    places: list[int],  # bins in use, ascending
    white: torch.Tensor,  # shape: (K, N, N), sums over snapshots in units of the noise
    snapshots: torch.Tensor,  # shape: (K,), how many
    energies: torch.Tensor,  # shape: (K,), above the noise
) -> list[list[int]]:
    """Bins of each signal, ascending."""
    matrices, lengths = white.numpy(), snapshots.tolist()
    pieces: list[Piece] = []
    for k, matrix, length in zip(places, matrices, lengths, strict=True):
        own = Piece([k], matrix, length)
        if pieces and k - pieces[-1].bins[-1] <= 2 and pieces[-1].is_like(own):
            pieces[-1] = pieces[-1] + own
        else:
            pieces.append(own)
    pieces = _joined(_without_fringes(pieces))
    energy = dict(zip(places, energies.tolist(), strict=True))
    return sorted(part for p in pieces for part in _at_valleys(p.bins, energy))


def _without_fringes(pieces: list[Piece]) -> list[Piece]:
    """Pieces, weak ones in the skirts of their neighbours, or mixtures between them, given to these."""
    for own in sorted(pieces, key=lambda p: p.energy):
        near = [p for p in pieces if p is not own and _gap(p, own) <= 1]
        strong = [p for p in near if own.is_skirt_of(p)]
        between = len(near) == 2 and len(own.bins) == 1 and all(p.energy > own.energy for p in near)
        host = max(strong or (near if between else []), key=lambda p: p.energy, default=None)
        if host is not None:
            pieces = [p for p in pieces if p is not own and p is not host] + [host + own]
    return sorted(pieces, key=lambda p: p.bins)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Pieces, those of the same waves put together across gaps that are narrow beside them."""
    joined = True
    while joined:
        joined = False
        for i, p in enumerate(pieces):
            for j in range(i + 1, len(pieces)):
                q = pieces[j]
                if _gap(p, q) <= max(1.0, GAP_SHARE * (len(p.bins) + len(q.bins))) and p.is_like(q):
                    pieces = [*pieces[:i], p + q, *pieces[i + 1 : j], *pieces[j + 1 :]]
                    joined = True
                    break
            if joined:
                break
    return pieces


def _at_valleys(bins: list[int], energy: dict[int, float]) -> list[list[int]]:
    """Bins of one direction, cut where there is next to nothing between two peaks: emitters of one site."""
    if len(bins) < 3:
        return [bins]
    e = np.array([energy[k] for k in bins])
    left, right = np.maximum.accumulate(e)[:-2], np.maximum.accumulate(e[::-1])[::-1][2:]
    depth = e[1:-1] / np.minimum(left, right).clip(1e-30)
    k = int(depth.argmin()) + 1
    if depth[k - 1] > VALLEY:
        return [bins]
    return _at_valleys(bins[:k], energy) + _at_valleys(bins[k:], energy)


def _gap(p: Piece, q: Piece) -> int:
    """Bins between two pieces, 0 where they touch or overlap."""
    return max(q.bins[0] - p.bins[-1], p.bins[0] - q.bins[-1], 1) - 1
