"""Unknown coupling as a block of unknowns: the dictionary of block-sparse Bayesian learning.

A coupling of a linear family is a short sum, C = sum_i c_i E_i with E_0 = I and c_0 = 1, so a path that arrives from
grid direction r and departs to grid direction q contributes, whatever the couplings,

    alpha (w^H C_R a_R(r)) (f^T C_T* a_T(q)*) = D_rq x,   x = alpha c_R kron c_T*,
    D_rq = [(w^H E_i a_R(r)) (f^T E_j* a_T(q)*)]_ij

linear in a block x of d = d_R d_T unknowns; few of the blocks are not zero, and all have the same shape c_R kron c_T*.
"""

import math
from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering
from doamc.coupling.coefficients import CoefficientFamily
from doamc.mimo.channel import Link
from doamc.mimo.sounding import Sounding
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class BlockDictionary:
    """Columns (S or 1, T, G, d) of G candidate paths; azimuth_rx and azimuth_tx (G,) rad."""

    columns: torch.Tensor
    azimuth_rx: torch.Tensor
    azimuth_tx: torch.Tensor

    def at(self, index: torch.Tensor) -> "BlockDictionary":
        """The candidates of some indices."""
        return BlockDictionary(self.columns[:, :, index], self.azimuth_rx[index], self.azimuth_tx[index])


def grid(spec: ArraySpec, step_deg: float) -> torch.Tensor:
    """Azimuths (G,) rad over the sector, `step_deg` apart at most; a full circle leaves its end out."""
    low, high = spec.sector_rad
    n = math.ceil((high - low) / math.radians(step_deg) - 1e-9)
    points = torch.linspace(low, high, n + 1, dtype=torch.float64)
    return points[:-1] if spec.full_circle else points


def block_dictionary(
    link: Link,
    sounding: Sounding,
    azimuth_rx: torch.Tensor,  # shape: (G,), rad
    azimuth_tx: torch.Tensor,  # shape: (G,), rad
) -> BlockDictionary:
    """Dictionary of paths (azimuth_rx[g], azimuth_tx[g])."""

    def parts(spec: ArraySpec, azimuth: torch.Tensor) -> torch.Tensor:
        return torch.einsum("kij,jg->igk", spec.plain_family.linear_basis, steering(spec.positions, azimuth))

    g, h = parts(link.rx.spec, azimuth_rx), parts(link.tx.spec, azimuth_tx)
    n = len(azimuth_rx)
    g = sounding.combined(g.flatten(1)).unflatten(-1, (n, -1))
    h = sounding.beamed(h.flatten(1)).unflatten(-1, (n, -1))
    return BlockDictionary((g[..., :, None] * h[..., None, :]).flatten(-2), azimuth_rx, azimuth_tx)


def prior_scale(link: Link) -> torch.Tensor:
    """Root mean square of every entry of c_R kron c_T* under the priors of the families, (d,)."""
    rx, tx = (end.spec.plain_family.span_mean_square.sqrt() for end in (link.rx, link.tx))
    return torch.outer(rx, tx).flatten()


def split_block(link: Link, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Coupling parameters (2 K_R,) and (2 K_T,) of the nearest c_R kron c_T* to a block shape (d,)."""
    d_rx = len(link.rx.spec.plain_family.linear_basis)
    left, _, right = torch.linalg.svd(shape.reshape(d_rx, -1), full_matrices=False)

    def member(family: CoefficientFamily, c: torch.Tensor) -> torch.Tensor:
        return family.project(torch.einsum("k,kij->ij", c, family.linear_basis))

    return member(link.rx.spec.plain_family, left[:, 0]), member(link.tx.spec.plain_family, right[0].conj())
