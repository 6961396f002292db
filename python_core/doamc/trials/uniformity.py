"""Are ranks uniform? Chi-square over bins ([Talts]), and the distribution function within a band ([Sailynoja]).

The band holds the whole empirical distribution function of B uniform numbers with 95 % probability: at K places it is a
binomial interval, of a probability so chosen by simulation that all K hold together. The p-value of a sample is how
often uniform numbers leave a binomial interval as improbable as the one that it leaves.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

PLACES = 40  #: bins of equal width at whose edges the distribution function is looked at
LEAST_EXPECTED = 5.0  #: ranks a bin, below which a chi-square distribution is none
SIMULATED, LEVEL = 4000, 0.95  #: samples of uniform numbers that settle the band, and what share of them it holds


def counts_of(rank: NDArray[np.float64]) -> NDArray[np.int64]:
    """Ranks (B,) in 0..1 in `PLACES` bins of equal width."""
    return np.histogram(rank, PLACES, (0.0, 1.0))[0]


def chi_square_p(counts: NDArray[np.int64]) -> float:
    """Probability that uniform ranks fall so unevenly into bins; pairs of bins are joined where ranks are few."""
    import torch

    while counts.sum() < LEAST_EXPECTED * len(counts) and len(counts) % 2 == 0:
        counts = counts.reshape(-1, 2).sum(1)
    expected = counts.sum() / len(counts)
    statistic = float(((counts - expected) ** 2).sum() / expected)
    half = torch.tensor([len(counts) - 1, statistic], dtype=torch.float64) / 2
    return float(torch.special.gammaincc(half[0], half[1]))


@dataclass(frozen=True)
class Band:
    """Of the empirical distribution function of uniform ranks at the inner edges of the bins.

    tail: (K - 1, B + 1), two-sided probability of every count at every edge. least: (M,) sorted, smallest of these
    along each of the simulated samples. low, high: (K - 1,), shares between which 95 % of samples stay throughout.
    """

    tail: NDArray[np.float64]
    least: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def p_value(self, counts: NDArray[np.int64]) -> float:
        """Probability that uniform ranks leave so improbable a count, at any edge."""
        reached = np.searchsorted(self.least, _least(self.tail, counts[None])[0] * (1 + 1e-9), "right")
        return float((1 + reached) / (1 + len(self.least)))


@lru_cache(8)
def band_of(ranks: int) -> Band:
    """Band of so many independent ranks."""
    edges = np.arange(1, PLACES)[:, None] / PLACES
    number = np.arange(ranks + 1)[None]
    log_factorial = np.concatenate([[0.0], np.log(np.arange(1, ranks + 1)).cumsum()])
    choose = log_factorial[-1] - log_factorial - log_factorial[::-1]
    below = np.exp(choose + number * np.log(edges) + (ranks - number) * np.log1p(-edges)).cumsum(1)
    above = 1 - np.concatenate([np.zeros((PLACES - 1, 1)), below[:, :-1]], 1)
    tail = np.minimum(1.0, 2 * np.minimum(below, above))
    samples = np.random.default_rng(0).multinomial(ranks, np.full(PLACES, 1 / PLACES), SIMULATED)
    least = np.sort(_least(tail, samples))
    inside = tail >= least[round((1 - LEVEL) * SIMULATED)]
    low, high = inside.argmax(1) / ranks, (ranks - inside[:, ::-1].argmax(1)) / ranks
    return Band(tail, least, low, high)


def _least(tail: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Smallest two-sided probability (M,) at any edge, of samples in bins (M, K)."""
    below = counts.cumsum(1)[:, :-1]
    return tail[np.arange(PLACES - 1), below].min(1)
