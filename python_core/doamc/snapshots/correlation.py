"""How many independent snapshots the parts of a sample covariance are worth, of signals that are correlated in time.

The sample covariance of two stationary signals of autocorrelations rho_a and rho_b varies as that of L_ab snapshots,

    L_ab = L / (1 + 2 sum_k (1 - k/L) Re(rho_a(k) rho_b(k)^*))

(Priestley, Spectral Analysis and Time Series, 1981, section 5.3). Oversampled signals are correlated, white noise is
not: between a signal and noise every snapshot counts.
"""

import math
from dataclasses import dataclass

import torch

LONGEST = 4096  #: snapshots that are looked at: autocorrelations are short
FEWEST = 32  #: snapshots, below which no autocorrelation is told from chance
SIGNIFICANT = 4.0  #: times 1 / sqrt(L M) of M components: one lag in a thousand is greater by chance


@dataclass(frozen=True)
class Lengths:
    """Effective snapshots (B,): of signals with each other, of signals with noise, and of noise with itself."""

    signal: torch.Tensor
    cross: torch.Tensor
    noise: torch.Tensor

    @property
    def equal(self) -> bool:
        """Whether all three are the same, as of snapshots that are white."""
        return self.signal is self.noise or bool(((self.signal == self.noise) & (self.cross == self.noise)).all())

    def select(self, index: torch.Tensor) -> "Lengths":
        """Those of some of the observations."""
        noise = self.noise[index]
        same = self.signal is self.noise
        return Lengths(noise if same else self.signal[index], noise if same else self.cross[index], noise)


def effective_lengths(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    covariance: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
    left_out: torch.Tensor | None = None,  # shape: (B,)
) -> Lengths:
    """Effective snapshots of the P dominant components and of the others, each between 1 and L.

    left_out: snapshots that are zero and do not count.
    """
    b, n, length = snapshots.shape
    full = torch.full((b,), float(length), dtype=torch.float64, device=snapshots.device)
    if left_out is not None:
        full = full - left_out.to(full)
    if length < FEWEST:
        return Lengths(full, full, full)
    values, vectors = torch.linalg.eigh(covariance)
    some = snapshots[:, :, :LONGEST]
    seen = some.shape[2]
    if _white(some, values, vectors, n_sources):
        return Lengths(full, full, full)
    level = values.mean(1).sqrt()[:, None, None]  # for single precision
    part = (vectors.mH / level) @ some
    part = part.to(torch.complex64)
    spectrum = torch.fft.fft(part, 1 << math.ceil(math.log2(2 * seen))).abs().square()
    noise, signal = spectrum[:, : n - n_sources], spectrum[:, n - n_sources :]
    signal = signal if n_sources else noise
    lags = seen // 2
    rho = [_autocorrelation(s, lags, seen) for s in (signal, noise)]
    taper = 1 - torch.arange(1, lags, dtype=torch.float64, device=snapshots.device) / seen

    def worth(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        excess = (one.conj() * other).real.double() * taper
        return (full / (1 + 2 * excess.sum(1)).clamp_min(1.0)).clamp_min(1.0)

    return Lengths(worth(rho[0], rho[0]), worth(*rho), worth(rho[1], rho[1]))


def _white(snapshots: torch.Tensor, values: torch.Tensor, vectors: torch.Tensor, n_sources: int) -> bool:
    """Whether the first lag of all components is chance, so that no other counts; by the covariance at that lag."""
    n, seen = snapshots.shape[1:]
    shifted = snapshots[:, :, 1:] @ snapshots[:, :, :-1].mH / seen
    first = (vectors.conj() * (shifted @ vectors)).sum(1) / values.clamp_min(1e-30 * values[:, -1:])
    noise, signal = first.split([n - n_sources, n_sources], 1)
    limit = SIGNIFICANT / math.sqrt(seen)
    worst = [float(x.mean(1).abs().max()) * math.sqrt(x.shape[1]) for x in (noise, signal) if x.shape[1]]
    return max(worst) <= limit


def _autocorrelation(spectrum: torch.Tensor, lags: int, seen: int) -> torch.Tensor:
    """Mean autocorrelation (B, lags - 1) of components (B, M, F), from lag 1 up to the first that is chance."""
    m = spectrum.shape[1]
    total = spectrum / spectrum.mean(2, keepdim=True).clamp_min(1e-30)  # each component of unit power
    rho = torch.fft.ifft(total.mean(1))[:, 1:lags]
    return rho * (rho.abs() > SIGNIFICANT / math.sqrt(seen * max(m, 1))).to(torch.int64).cumprod(1)
