"""The autocorrelation of signals, and how many snapshots that are correlated in time make an independent one.

The sample covariance of two stationary signals of autocorrelations rho_a and rho_b varies as that of L / S independent
snapshots,

    S = 1 + 2 sum_k (1 - k/L) Re(rho_a(k) rho_b(k)^*)

(Priestley, Spectral Analysis and Time Series, 1981, section 5.3). What is estimated of rho has chance in it: |rho|^2 is
S (1 - |rho|^2) / (m (L - k)) too large on average, of m components together. So S is the solution of a linear equation,
and lags are summed up to `WINDOW` S, beyond which little but chance is left (Sokal, Monte Carlo Methods in Statistical
Mechanics, 1997, section 3). Where the first lag alone is chance, all snapshots count: white ones keep their L.
"""

import math

import numpy as np
import torch

FEWEST = 16  #: snapshots, below which no autocorrelation is told from chance
SIGNIFICANT = 7.0  #: times its mean by chance, |rho(1)|^2: one of white snapshots in a thousand is greater
WINDOW = 3.0  #: times S, lags that are looked at


def first_lags(
    lag: np.ndarray,  # shape: (B, N, N), the sum of y_i(t + 1) y_j(t)^*
    values: np.ndarray,  # shape: (B, N), eigenvalues of the covariance, ascending
    vectors: np.ndarray,  # shape: (B, N, N)
    length: int,
) -> tuple[np.ndarray, np.ndarray]:
    """rho (B, N) of the covariance's components at the first lag, and their powers (B, N), which are positive."""
    power = np.maximum(values, 1e-30 * values[:, -1:])
    return (vectors.conj() * (lag @ vectors)).sum(1) / (length * power), power


def significant_lags(
    first: np.ndarray,  # shape: (B, N), rho of every component at the first lag
    power: np.ndarray,  # shape: (B, N)
    length: int,
) -> np.ndarray:
    """Whether the first lag is more than chance, (B, N, 3) for P = 0..N-1: of signals each, together, and of noise."""
    count, top = np.arange(1, first.shape[1]), first[:, :0:-1]
    out = np.zeros((*first.shape, 3), dtype=bool)
    limit = SIGNIFICANT / length * (1 + 2 / np.sqrt(count)) / 3  # of means of so many
    out[:, 1:, 0] = _square(top).cumsum(1) / count > limit
    out[:, 1:, 1] = _square(top.cumsum(1)) / count > SIGNIFICANT / length
    weight = _square((power * first).cumsum(1)) / (power * power).cumsum(1)
    out[:, :, 2] = weight[:, ::-1] > SIGNIFICANT / length
    return out


def _square(x: np.ndarray) -> np.ndarray:
    """|x|^2."""
    return x.real * x.real + x.imag * x.imag


def autocorrelation(
    components: torch.Tensor,  # shape: (B, M, L), of a power near 1: single precision is enough
) -> torch.Tensor:
    """Unbiased estimates of rho (B, M, L // 2) at lags from 1 on; zero for a component that is nothing at all."""
    length = components.shape[2]
    spectrum = torch.fft.fft(components.to(torch.complex64), padded(length)).abs().square()
    found = torch.fft.ifft(spectrum)[..., : length // 2 + 1]
    rho = (found[..., 1:] / found[..., :1].real).nan_to_num(0.0)
    return rho / _taper(length, rho.device)


def reduction(
    product: torch.Tensor,  # shape: (B, M), Re(rho_a rho_b^*) at lags from 1 on
    length: int,
    together: torch.Tensor | float,  # number of components (B,) whose mean rho is; inf where a and b are others
) -> torch.Tensor:
    """S (B,) of white snapshots over independent ones."""
    taper = _taper(length, product.device)
    chance = 2 / (torch.as_tensor(together, dtype=torch.float64, device=product.device)[..., None] * length)
    total = (1 + 2 * (product * taper).cumsum(1)) / (1 + chance * (1 - product.clamp(0, 1)).cumsum(1))
    lag = torch.arange(1, product.shape[1] + 1, device=product.device)
    last = (lag < WINDOW * total).to(torch.int64).cumprod(1).sum(1).clamp(1, product.shape[1])
    return total.gather(1, last[:, None] - 1)[:, 0].clamp_min(1.0)


def square(
    rho: torch.Tensor,  # complex
) -> torch.Tensor:
    """|rho|^2 in double precision."""
    return torch.view_as_real(rho).double().square().sum(-1)


def padded(length: int) -> int:
    """Length of spectra whose products are correlations."""
    return 1 << math.ceil(math.log2(2 * length))


def _taper(length: int, device: torch.device) -> torch.Tensor:
    """1 - k/L (M,) at lags from 1 on, M = L // 2."""
    return 1 - torch.arange(1, length // 2 + 1, dtype=torch.float64, device=device) / length
