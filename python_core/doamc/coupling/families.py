"""Families of coefficients by name: the patterns B_k that couplings of an array are made of, and their ranges."""

import math
from collections.abc import Callable

import torch

from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.size import check_entries
from doamc.errors import SpecificationError
from doamc.text import shown


def _toeplitz_patterns(n: int, k: int, symmetric: bool) -> torch.Tensor:
    lag = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    lag = lag.abs() if symmetric else lag
    return torch.stack([(lag == j) for j in range(1, k + 1)]).to(torch.complex128)


def _circulant_patterns(n: int, k: int) -> torch.Tensor:
    lag = (torch.arange(n)[None, :] - torch.arange(n)[:, None]) % n
    return torch.stack([(lag == j) | (lag == n - j) for j in range(1, k + 1)]).to(torch.complex128)


def _reciprocal_patterns(n: int, k: int) -> torch.Tensor:
    """All pairs i < j up to distance k, and N - 1 diagonal differences that keep the mean diagonal at 1."""
    out = []
    for i in range(n):
        for j in range(i + 1, min(n, i + k + 1)):
            e = torch.zeros(n, n, dtype=torch.complex128)
            e[i, j] = e[j, i] = 1
            out.append(e)
    for i in range(n - 1):
        e = torch.zeros(n, n, dtype=torch.complex128)
        e[i, i], e[n - 1, n - 1] = 1, -1
        out.append(e)
    return torch.stack(out)


#: name -> (number of elements, bands) -> patterns
FAMILIES: dict[str, Callable[[int, int], torch.Tensor]] = {
    "symmetric-toeplitz": lambda n, k: _toeplitz_patterns(n, k, True),
    "hermitian-toeplitz": lambda n, k: _toeplitz_patterns(n, k, False),
    "circulant": _circulant_patterns,
    "reciprocal": _reciprocal_patterns,
}


def make_family(
    name: str, n_elements: int, magnitude: list[list[float]], phase_deg: float = 180.0, diagonal: float = 0.1
) -> CoefficientFamily:
    """Family of a specification.

    name: one of `FAMILIES`. magnitude: [low, high] of |c_k| for lag k = 1..bands. phase_deg: half-width of the phase.
    diagonal: for ``reciprocal`` only, the largest deviation of a diagonal entry.
    Raises SpecificationError on an unknown name, ranges that do not fit, or more coefficients than memory should hold.
    """
    if name not in FAMILIES:
        raise SpecificationError(f"coupling family must be one of {', '.join(FAMILIES)}, found {shown(name)}")
    bands = len(magnitude)
    limit = n_elements // 2 if name == "circulant" else n_elements - 1
    if not 1 <= bands <= limit:
        raise SpecificationError(f"{name} on {n_elements} elements takes 1 to {limit} magnitude ranges, found {bands}")
    if any(len(r) != 2 or not 0 <= r[0] <= r[1] for r in magnitude):
        raise SpecificationError(f"magnitude ranges must be [low, high], 0 <= low <= high, found {shown(magnitude)}")
    coefficients = bands
    if name == "reciprocal":
        coefficients = sum(min(bands, n_elements - 1 - i) for i in range(n_elements)) + n_elements - 1
    check_entries(n_elements, 2 * coefficients)
    patterns = FAMILIES[name](n_elements, bands)
    ranges = torch.as_tensor(magnitude, dtype=torch.float64)
    if name == "reciprocal":
        lags = [j - i for i in range(n_elements) for j in range(i + 1, min(n_elements, i + bands + 1))]
        own = torch.tensor([[0.0, diagonal]] * (n_elements - 1), dtype=torch.float64)
        ranges = torch.cat([ranges[torch.tensor(lags) - 1], own])
    return CoefficientFamily(name, patterns, ranges, math.radians(phase_deg), name == "hermitian-toeplitz")
