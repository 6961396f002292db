"""How many independent snapshots the parts of a sample covariance are worth, of signals that are correlated in time.

Oversampled signals are correlated, white noise is not: between a signal and noise every snapshot counts. Signals are
the P dominant components of the covariance, in its eigenvectors, noise is the others; `correlation` has the equations.
"""

import math
from dataclasses import dataclass

import torch

from doamc.snapshots.correlation import autocorrelation, first_lags, padded, reduction, significant_lags, square
from doamc.snapshots.look import Look

ENTRIES = 1 << 22  #: numbers in the spectra of one slice of observations, so that memory stays bounded


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

    def to(self, device: torch.device) -> "Lengths":
        """The same on another device."""
        return self if self.noise.device == device else Lengths(*(value.to(device) for value in vars(self).values()))


@dataclass(frozen=True)
class EffectiveSnapshots:
    """Effective snapshots of B observations, each between 1 and L, for every number P < N of signals.

    full: (B,), snapshots that were not left out. table: (B, N, 4), by P; None where all of these count.
    """

    full: torch.Tensor
    table: torch.Tensor | None = None

    def of_signals(self, n_sources: int) -> torch.Tensor:
        """(B,), by the mean of |rho|^2 over the signals, in whatever part of the band each of them is.

        White noise alone would allow more: what moves a bearing at high SNR is the correlation of signal and noise,
        which no narrow signal slows down. But a model of uncorrelated sources bends the coupling to explain that two
        narrow signals have a sample correlation of 1/sqrt(L_eff) all the same (measured on captures of
        method-of-moments antennas: bearings two times worse).
        """
        return self.full if self.table is None else self.table[:, n_sources, 0]

    def lengths(self, n_sources: int) -> Lengths:
        """Of signals and noise with each other and among themselves."""
        if self.table is None:
            return Lengths(self.full, self.full, self.full)
        return Lengths(*self.table[:, n_sources, 1:].unbind(1))

    def select(self, index: torch.Tensor | slice) -> "EffectiveSnapshots":
        """Those of some of the observations."""
        return EffectiveSnapshots(self.full[index], None if self.table is None else self.table[index])


def effective_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    eigen: tuple[torch.Tensor, torch.Tensor],  # of the covariance: values (B, N), ascending, vectors (B, N, N)
    look: Look,
    left_out: torch.Tensor | None = None,  # shape: (B,)
) -> EffectiveSnapshots:
    """Effective snapshots; left_out: snapshots that are zero and do not count."""
    n, length = snapshots.shape[1:]
    full = all_of(snapshots, left_out)
    if not look.correlated.any():
        return EffectiveSnapshots(full)
    chosen = look.correlated.nonzero()[0]
    device = snapshots.device
    values, vectors = (x.resolve_conj().cpu().numpy()[chosen] for x in eigen)
    first, least = first_lags(look.lag[chosen], values, vectors, length)
    significant, power, basis = (
        torch.from_numpy(x).to(device) for x in (significant_lags(first, least, length), least, vectors)
    )
    table, places = full[:, None, None].repeat(1, n, 4), torch.from_numpy(chosen).to(device)
    step = max(1, ENTRIES // (n * padded(length)))
    for some in (slice(i, i + step) for i in range(0, len(chosen), step)):
        here = places[some]
        components = basis[some].mH / power[some].sqrt()[:, :, None] @ snapshots[here]
        found = _reductions(autocorrelation(components), power[some], significant[some], length)
        table[here] = (table[here] / found).clamp_min(1.0)
    return EffectiveSnapshots(full, table)


def all_of(
    snapshots: torch.Tensor,  # shape: (B, N, L)
    left_out: torch.Tensor | None,  # shape: (B,)
) -> torch.Tensor:
    """Number of snapshots (B,) that were not left out."""
    full = torch.full((len(snapshots),), float(snapshots.shape[2]), dtype=torch.float64, device=snapshots.device)
    return full if left_out is None else full - left_out.to(full)


def _reductions(
    rho: torch.Tensor,  # shape: (B, N, M), of every component
    power: torch.Tensor,  # shape: (B, N)
    significant: torch.Tensor,  # shape: (B, N, 3)
    length: int,
) -> torch.Tensor:
    """S (B, N, 4) for P = 0..N-1 as in the table of `EffectiveSnapshots`."""
    n, out = rho.shape[1], []
    for p in range(n):
        own, together, noisy = significant[:, p].unbind(1)
        weight = power[:, : n - p, None]
        noise = (weight * rho[:, : n - p]).sum(1) / weight.sum(1)
        alike = power[:, : n - p].sum(1).square() / power[:, : n - p].square().sum(1)
        of_noise = torch.where(noisy, reduction(square(noise), length, alike), 1.0)
        if not p:
            out.append(of_noise[:, None].expand(-1, 4))
            continue
        top = rho[:, n - p :]
        signal = top.mean(1)
        cross = (signal * noise.conj()).real.double()
        out.append(
            torch.stack(
                [
                    torch.where(own, reduction(square(top).mean(1), length, 1.0), 1.0),
                    torch.where(together, reduction(square(signal), length, float(p)), 1.0),
                    torch.where(together & noisy, reduction(cross, length, math.inf), 1.0),
                    of_noise,
                ],
                1,
            )
        )
    return torch.stack(out, 1)
