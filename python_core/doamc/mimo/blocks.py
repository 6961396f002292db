"""Unknown coupling as a block of unknowns: the dictionary of block-sparse Bayesian learning.

A coupling of a linear family is a short sum, C = sum_i c_i E_i with E_0 = I and c_0 = 1, so a path that arrives from
grid direction r and departs to grid direction q contributes, whatever the couplings,

    alpha (w^H C_R a_R(r)) (f^T C_T* a_T(q)*) = D_rq x,   x = alpha c_R kron c_T*,
    D_rq = [(w^H E_i a_R(r)) (f^T E_j* a_T(q)*)]_ij

linear in a block x of d = d_R d_T unknowns; few of the blocks are not zero, and all have the same shape c_R kron c_T*.

A direction is an azimuth, of an array with elevations (azimuth, elevation); a pair is one of arrival, then one of
departure.
"""

import math

import torch

from doamc.arrays.steering import steering
from doamc.coupling.coefficients import CoefficientFamily
from doamc.mimo.channel import Link
from doamc.mimo.sounding import Sounding
from doamc.spec import ArraySpec


def grid(spec: ArraySpec, step_deg: float) -> torch.Tensor:
    """Azimuths (G,) rad over the sector, `step_deg` apart at most; a full circle leaves its end out."""
    low, high = spec.sector_rad
    n = math.ceil((high - low) / math.radians(step_deg) - 1e-9)
    points = torch.linspace(low, high, n + 1, dtype=torch.float64)
    return points[:-1] if spec.full_circle else points


def combined_parts(link: Link, sounding: Sounding, arrival: torch.Tensor) -> torch.Tensor:
    """w^H E_i a_R of directions (G, 1 or 2), (S or 1, T, G, d_R)."""
    return sounding.combined(_parts(link.rx.spec, arrival)).unflatten(-1, (len(arrival), -1))


def beamed_parts(link: Link, sounding: Sounding, departure: torch.Tensor) -> torch.Tensor:
    """f^T E_j* a_T* of directions (G, 1 or 2), (S or 1, T, G, d_T)."""
    return sounding.beamed(_parts(link.tx.spec, departure)).unflatten(-1, (len(departure), -1))


def _parts(spec: ArraySpec, directions: torch.Tensor) -> torch.Tensor:
    """Columns E_i a of directions (G, 1 or 2), (N, G d)."""
    azimuth, *elevation = directions.unbind(1)
    a = steering(spec.positions, azimuth, *elevation)
    return torch.einsum("kij,jg->igk", spec.coefficient_family.linear_basis, a).flatten(1)


def block_dictionary(
    link: Link,
    sounding: Sounding,
    pairs: torch.Tensor,  # shape: (G, A), rad: angles of arrival, then of departure
) -> torch.Tensor:
    """Columns (S or 1, T, G, d) of candidate paths."""
    arrival, departure = pairs.split([link.rx.n_angles, link.tx.n_angles], 1)
    g, h = combined_parts(link, sounding, arrival), beamed_parts(link, sounding, departure)
    return (g[..., :, None] * h[..., None, :]).flatten(-2)


def prior_scale(link: Link) -> torch.Tensor:
    """Root mean square of every entry of c_R kron c_T* under the priors of the families, (d,)."""
    rx, tx = (end.spec.coefficient_family.span_mean_square.sqrt() for end in (link.rx, link.tx))
    return torch.outer(rx, tx).flatten()


def split_block(link: Link, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Coupling parameters (2 K_R,) and (2 K_T,) of the nearest c_R kron c_T* to a block shape (d,)."""
    d_rx = len(link.rx.spec.coefficient_family.linear_basis)
    left, _, right = torch.linalg.svd(shape.reshape(d_rx, -1), full_matrices=False)

    def member(family: CoefficientFamily, c: torch.Tensor) -> torch.Tensor:
        return family.project(torch.einsum("k,kij->ij", c, family.linear_basis))

    return member(link.rx.spec.coefficient_family, left[:, 0]), member(link.tx.spec.coefficient_family, right[0].conj())
