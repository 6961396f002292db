"""Sounding through analog beams, [Luo-Fung] eqs. (2)-(3): y_t^s = w_t^sH H^s f_t^s + n_t^s.

With U = [u_1 .. u_P] and V = [v_1 .. v_P] (columns with coupling, eq. (1)) a subcarrier reads Psi^s alpha^s + n^s,
Psi^s = [f_t^T kron w_t^H]_t (C_T* kron C_R)(A_T* kr A_R), a product whose factors have N_T N_R and P^2 N_T N_R
columns. Pulled through the Khatri-Rao product (kr) it is

    Psi^s = (F^s V*) o (W^s U),       rows of F^s: f_t^sT,   rows of W^s: w_t^sH,   o: element by element

T x P numbers from two thin products; nothing of size N_T N_R is ever formed. Noise is circular Gaussian of power s2
after the combiner.
"""

import math
from dataclasses import dataclass

import torch

from doamc.errors import SnapshotError
from doamc.mimo.channel import Link, Rays


@dataclass(frozen=True)
class Sounding:
    """Combiners w (S, T, N_R) and beamformers f (S, T, N_T); S = 1: the same on all subcarriers."""

    combiners: torch.Tensor
    beamformers: torch.Tensor

    def __post_init__(self) -> None:
        w, f = self.combiners.shape, self.beamformers.shape
        if len(w) != 3 or len(f) != 3 or w[:2] != f[:2] or 0 in w or 0 in f:
            raise SnapshotError(
                f"sounding needs combiners (S, T, N_R) and beamformers (S, T, N_T), found {tuple(w)} and {tuple(f)}"
            )

    @property
    def n_symbols(self) -> int:
        """Number of sounding symbols T."""
        return self.combiners.shape[1]

    @property
    def shared(self) -> bool:
        """Whether all subcarriers are sounded alike, so that one Psi serves them."""
        return self.combiners.shape[0] == 1

    def combined(self, columns: torch.Tensor) -> torch.Tensor:
        """W u: columns (*batch, N_R, K) -> (*batch, S, T, K)."""
        return self.combiners.conj() @ columns[..., None, :, :]

    def beamed(self, columns: torch.Tensor) -> torch.Tensor:
        """F v*: columns (*batch, N_T, K) -> (*batch, S, T, K)."""
        return self.beamformers @ columns.conj()[..., None, :, :]

    def psi(self, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Psi^s of eq. (3): u (*batch, N_R, P), v (*batch, N_T, P) -> (*batch, S, T, P), S = 1 when shared."""
        return self.combined(u) * self.beamed(v)

    def check(self, received: torch.Tensor) -> None:
        """Raise SnapshotError unless received (B, S, T) fits these beams and is finite."""
        s, t = self.combiners.shape[:2]
        if received.ndim != 3 or received.shape[2] != t or (s > 1 and received.shape[1] != s):
            raise SnapshotError(
                f"received symbols must have shape (B, {'S' if s == 1 else s}, {t}), found {tuple(received.shape)}"
            )
        if not torch.isfinite(torch.view_as_real(received)).all():
            raise SnapshotError("received symbols hold NaN or infinite values; leave such batches out")


def phase_shifters(
    link: Link, n_symbols: int, n_subcarriers: int = 1, generator: torch.Generator | None = None
) -> Sounding:
    """Beams of random phases and equal moduli, of unit norm: what analog phase shifters make."""

    def beams(n: int) -> torch.Tensor:
        phase = 2 * math.pi * torch.rand(n_subcarriers, n_symbols, n, dtype=torch.float64, generator=generator)
        return torch.polar(torch.full_like(phase, 1 / math.sqrt(n)), phase)

    return Sounding(beams(link.rx.spec.n_elements), beams(link.tx.spec.n_elements))


def sound(
    link: Link, rays: Rays, sounding: Sounding, noise_power: float, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Received symbols Y of eq. (3) for unit pilots, complex (B, S, T)."""
    clean = torch.einsum("bstp,bsp->bst", sounding.psi(*link.responses(rays)).expand(
        -1, rays.gains.shape[1], -1, -1), rays.gains)  # fmt: skip
    noise = torch.randn(2, *clean.shape, dtype=torch.float64, generator=generator) * math.sqrt(noise_power / 2)
    return clean + torch.complex(noise[0], noise[1])


def sample_covariance(received: torch.Tensor) -> torch.Tensor:
    """R_y of [Luo-Fung], Y Y^H / S over the subcarriers: (B, S, T) -> (B, T, T)."""
    return torch.einsum("bst,bsu->btu", received, received.conj()) / received.shape[1]
