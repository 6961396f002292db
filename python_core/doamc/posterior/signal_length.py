"""How many independent snapshots the *signals* of a batch are worth.

The model takes sources as uncorrelated. Two narrow signals have a sample correlation all the same, that of L_eff =
L / (1 + 2 sum_k (1 - k/L) |rho(k)|^2) independent snapshots (Priestley, Spectral Analysis and Time Series, 1981,
section 5.3), however white the noise. Taken at their full number, a coupling drawn from antennas is bent to explain it:
on oversampled captures bearings get two to three times worse.
"""

import math

import torch


def signal_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    covariance: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
) -> torch.Tensor:
    """L_eff (B,) between 1 and L, from the autocorrelation rho of the P dominant components.

    Lags count up to the first that is not significant, so that white signals keep their L.
    """
    b, _, length = snapshots.shape
    full = torch.full((b,), float(length), dtype=torch.float64, device=snapshots.device)
    if length < 16:
        return full
    vectors = torch.linalg.eigh(covariance)[1][:, :, -n_sources:]
    component = vectors.mH @ snapshots.to(vectors.dtype)
    spectrum = torch.fft.fft(component, 1 << math.ceil(math.log2(2 * length))).abs().square()
    correlation = torch.fft.ifft(spectrum)[..., : length // 2]
    rho = (correlation[..., 1:] / correlation[..., :1].real.clamp_min(1e-300)).abs().square().double().mean(1)
    lag = torch.arange(1, rho.shape[1] + 1, device=rho.device)
    threshold = 7.0 / length * (1 + 2 / math.sqrt(n_sources)) / 3
    significant = (rho > threshold).to(torch.int64).cumprod(1)
    excess = (rho - 1 / length).clamp_min(0) * significant * (1 - lag / length)
    return (full / (1 + 2 * excess.sum(1))).clamp_min(1.0)
