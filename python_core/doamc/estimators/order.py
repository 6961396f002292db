"""Number of sources from the eigenvalues of the sample covariance, by information criteria."""

import math

import torch

from doamc.errors import EstimatorError


def source_number(
    covariance: torch.Tensor,  # shape: (B, N, N), sample covariance
    n_snapshots: int,
    criterion: str = "mdl",
) -> torch.Tensor:
    """Number of sources (B,) int64, in 0..min(N, L) - 1, for an unknown noise power ([Wax-Kailath] eqs. (16)-(17)).

    Minimises over k

        w (m - k) log(arithmetic mean / geometric mean of the m - k smallest eigenvalues) + penalty,
        penalty = k (2 m - k) log(n) / 2  for "mdl",  k (2 m - k)  for "aic",

    with m = N and n = L. Where L < N the roles are exchanged, m = L and n = N: the L nonzero eigenvalues are those of
    Y^H Y, whose columns white noise leaves just as independent. In that paper w = n; here w is Bartlett's correction
    (see `_weight`), the same for n >> m, without which N / 2 < L < 2 N gives far too many sources. MDL is consistent in
    L; AIC finds weaker sources and overestimates now and then. With L = 1 there is nothing to compare and the answer is
    0. Coherent paths count as one. Coupling does not matter, since C has full rank.
    Raises EstimatorError on an unknown criterion or L < 1.
    """
    if criterion not in ("mdl", "aic"):
        raise EstimatorError(f"criterion must be mdl or aic, found {criterion!r}")
    if n_snapshots < 1:
        raise EstimatorError(f"expected L >= 1 snapshots, found {n_snapshots}")
    m, n = sorted((covariance.shape[-1], n_snapshots))
    values = torch.linalg.eigvalsh(covariance).flip(1)[:, :m]
    values = torch.maximum(values, 1e-12 * values[:, :1])  # noise-free data: equal zeros, not rounding errors
    penalty = 0.5 * math.log(n) if criterion == "mdl" else 1.0
    cost = []
    for k in range(m):
        rest = values[:, k:]
        ratio = (m - k) * (rest.mean(1).log() - rest.log().mean(1))
        cost.append(_weight(m - k, n - k) * ratio + penalty * k * (2 * m - k))
    return torch.stack(cost, 1).argmin(1)


def _weight(q: int, r: int) -> float:
    """Weight w that gives w T its large-sample mean (q^2 - 1) / 2 at any size, under white noise.

    T = q log(mean eigenvalue) - log det of a q x q sample covariance of r >= q snapshots, whose mean is exactly
    q (digamma(q r) - log q) - sum_{i<q} digamma(r - i) (Wishart moments; [Bartlett 1937] for the idea). About r for
    r >> q. One eigenvalue alone has T = 0.
    """
    if q == 1:
        return float(r)
    tail = torch.special.digamma(r - torch.arange(q, dtype=torch.float64)).sum()
    mean = q * (torch.special.digamma(torch.tensor(float(q * r), dtype=torch.float64)) - math.log(q)) - tail
    return (q * q - 1) / 2 / float(mean)
