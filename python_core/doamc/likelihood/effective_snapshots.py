"""The effective number of snapshots of signals that are correlated in time.

The variance of a sample covariance of a stationary Gaussian signal is that of L_eff = L / (1 + 2 sum_k (1 - k/L)
|rho(k)|^2) independent snapshots (Priestley, Spectral Analysis and Time Series, 1981, section 5.3). Oversampled radio
signals have |rho(1)| near 1. White noise alone would allow more: what moves a bearing at high SNR is the correlation of
signal and noise, which no narrow signal slows down. But the model takes sources as uncorrelated, and two narrow signals
have a sample correlation of 1/sqrt(L_eff) all the same; counted at their full number, the coupling is bent to explain
it (measured on captures of method-of-moments antennas: bearings two times worse). So the signals' number is taken,
and intervals on oversampled signals are too wide rather than too narrow.
"""

import math

import torch

FEWEST = 16  #: snapshots, below which no autocorrelation is told from chance
SIGNIFICANT = (
    7.0  #: times 1 / L, the mean of |rho|^2 of white snapshots, for one component: one in a thousand is greater
)
UNLIKE = 2.5  #: times as many in the weaker half of the components as in all: filtered noise never has so many more


def effective_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    covariance: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
    left_out: torch.Tensor | None = None,  # shape: (B,)
) -> torch.Tensor:
    """L_eff (B,) between 1 and L; left_out: snapshots that are zero and do not count.

    rho is the autocorrelation of the dominant components; lags count up to the first that is not significant, so that
    white snapshots keep their L (false alarms: about one batch in a thousand).
    """
    vectors = torch.linalg.eigh(covariance)[1][:, :, -n_sources:]
    rho = _autocorrelation(snapshots, vectors)
    return _of_autocorrelation(rho, snapshots.shape[2], left_out)


def noise_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    covariance: torch.Tensor,  # shape: (B, N, N)
    left_out: torch.Tensor | None = None,  # shape: (B,)
) -> torch.Tensor:
    """L_eff (B,) between 1 and L of the noise: what a batch of noise alone has; left_out as above.

    Behind a filter noise is correlated alike in all components, so the mean over all of them is taken. A carrier is
    in one component alone: where the weaker half has more than `UNLIKE` times as many, its number is taken.
    """
    _, n, length = snapshots.shape
    rank = min(n, length)
    rho = _autocorrelation(snapshots, torch.linalg.eigh(covariance)[1][:, :, n - rank :])
    every = _of_autocorrelation(rho, length, left_out)
    weak = _of_autocorrelation(rho[:, : max(1, rank // 2)], length, left_out)
    return torch.where(weak > UNLIKE * every, weak, every)


def _autocorrelation(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    vectors: torch.Tensor,  # shape: (B, N, K), of components
) -> torch.Tensor:
    """|rho(k)|^2 (B, K, M) of K components at lags 1 to M, none for fewer snapshots than `FEWEST`."""
    length = snapshots.shape[2]
    if length < FEWEST:
        return torch.zeros(*vectors.shape[::2], 0, dtype=torch.float64, device=snapshots.device)
    component = (vectors.mH @ snapshots).to(torch.complex64)
    size = 1 << math.ceil(math.log2(2 * length))
    spectrum = torch.fft.fft(component, size)
    correlation = torch.fft.ifft(spectrum.abs().square())[..., : length // 2]
    rho = (correlation[..., 1:] / correlation[..., :1].real).abs().square().double()
    return rho.nan_to_num(0.0)  # a component that is nothing at all is correlated with nothing


def _of_autocorrelation(
    rho: torch.Tensor,  # shape: (B, K, M)
    length: int,
    left_out: torch.Tensor | None,  # shape: (B,)
) -> torch.Tensor:
    """L_eff (B,) by the mean over K components."""
    count, rho = rho.shape[1], rho.mean(1)
    lag = torch.arange(1, rho.shape[1] + 1, dtype=torch.float32, device=rho.device)
    threshold = SIGNIFICANT / length * (1 + 2 / math.sqrt(count)) / 3 + 1e-12
    significant = (rho > threshold).to(torch.int64).cumprod(1)
    excess = (rho - 1 / length).clamp_min(0) * significant * (1 - lag / length)
    full = torch.full((len(rho),), float(length), dtype=torch.float64, device=rho.device)
    if left_out is not None:
        full = full - left_out.to(full)
    return (full / (1 + 2 * excess.sum(1))).clamp_min(1.0)
