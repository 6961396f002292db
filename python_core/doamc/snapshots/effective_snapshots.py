"""How many independent snapshots the parts of a sample covariance are worth, of signals that are correlated in time.

Oversampled signals are correlated, white noise is not: between a signal and noise every snapshot counts. Signals are
the P dominant components of the covariance, in its eigenvectors, noise is the others; `correlation` has the equations.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from doamc.snapshots.correlation import FEWEST, SIGNIFICANT, autocorrelation, padded, reduction, square

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

    table: (B, N, 4), by P; where all snapshots count, (B, 1, 4) says so once.
    """

    table: torch.Tensor

    def of_signals(self, n_sources: int) -> torch.Tensor:
        """(B,), by the mean of |rho|^2 over the signals, in whatever part of the band each of them is.

        White noise alone would allow more: what moves a bearing at high SNR is the correlation of signal and noise,
        which no narrow signal slows down. But a model of uncorrelated sources bends the coupling to explain that two
        narrow signals have a sample correlation of 1/sqrt(L_eff) all the same (measured on captures of
        method-of-moments antennas: bearings two times worse).
        """
        return self._of(n_sources)[:, 0]

    def lengths(self, n_sources: int) -> Lengths:
        """Of signals and noise with each other and among themselves."""
        _, signal, cross, noise = self._of(n_sources).unbind(1)
        return Lengths(noise, noise, noise) if self.table.shape[1] == 1 else Lengths(signal, cross, noise)

    def select(self, index: torch.Tensor | slice) -> "EffectiveSnapshots":
        """Those of some of the observations."""
        return EffectiveSnapshots(self.table[index])

    def _of(self, n_sources: int) -> torch.Tensor:
        return self.table[:, min(n_sources, self.table.shape[1] - 1)]


def effective_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L) complex
    eigen: tuple[torch.Tensor, torch.Tensor],  # of the covariance: values (B, N), ascending, vectors (B, N, N)
    left_out: torch.Tensor | None = None,  # shape: (B,)
    lag: np.ndarray | None = None,  # shape: (B, N, N), where it is known
) -> EffectiveSnapshots:
    """Effective snapshots; left_out: snapshots that are zero and do not count. lag: the sum of y_i(t + 1) y_j(t)^*."""
    n, length = snapshots.shape[1:]
    full = all_of(snapshots, left_out)
    table = full[:, None, None].expand(-1, 1, 4)
    if length < FEWEST:
        return EffectiveSnapshots(table)
    if lag is None:
        lag = (snapshots[:, :, 1:] @ snapshots[:, :, :-1].mH).cpu().numpy()
    values, v = (x.resolve_conj().cpu().numpy() for x in eigen)
    least = np.maximum(values, 1e-30 * values[:, -1:])
    looks = _significant((v.conj() * (lag @ v)).sum(1) / (length * least), least, length)  # (B, N, 3)
    if not looks.any():
        return EffectiveSnapshots(table)
    device = snapshots.device
    significant, power, vectors = (torch.from_numpy(x).to(device) for x in (looks, least, v))
    chosen = significant.flatten(1).any(1).nonzero()[:, 0]
    table = table.expand(-1, n, -1).clone()
    for some in chosen.split(max(1, ENTRIES // (n * padded(length)))):
        components = vectors[some].mH / power[some].sqrt()[:, :, None] @ snapshots[some]
        found = _reductions(autocorrelation(components), power[some], significant[some], length)
        table[some] = (table[some] / found).clamp_min(1.0)
    return EffectiveSnapshots(table)


def all_of(
    snapshots: torch.Tensor,  # shape: (B, N, L)
    left_out: torch.Tensor | None,  # shape: (B,)
) -> torch.Tensor:
    """Number of snapshots (B,) that were not left out."""
    full = torch.full((len(snapshots),), float(snapshots.shape[2]), dtype=torch.float64, device=snapshots.device)
    return full if left_out is None else full - left_out.to(full)


def _significant(
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
