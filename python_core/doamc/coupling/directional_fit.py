"""Coupling of sources whose directions are known, from the noise subspace, where it depends on direction.

At the true directions E_n^H C(az_p, el_p) a_p = 0 for every source. With C linear in the coefficients c_jk that is a
least-squares problem, which their prior, taken as normal, makes well posed:

    minimise  sum_p || E_n^H (a_p + sum_jk c_jk f_j(az_p) B_k a_p) ||^2 + RIDGE sum_jk |c_jk|^2 / E|c_jk|^2
"""

import torch

from doamc.arrays.steering import steering
from doamc.coupling.directional import DirectionalFamily
from doamc.coupling.directional_series import LEAST_DEVIATION

RIDGE = 1e-4  #: share of the prior: a subspace is known far better than the coupling beforehand


def coupling_of_directions(
    family: DirectionalFamily,
    positions: torch.Tensor,  # shape: (N, 3), wavelengths
    projector: torch.Tensor,  # shape: (..., N, N), on the noise subspace
    azimuth: torch.Tensor,  # shape: (..., P), rad
    elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
) -> torch.Tensor:
    """Parameters (..., 2 K J) inside the prior's ranges."""
    base, k = family.base, family.base.n_coefficients
    a = steering(positions, azimuth, elevation).to(projector.dtype)
    f = family.angular.functions(azimuth, elevation).to(a.dtype)  # (..., P, J)
    moved = torch.einsum("kij,...jp->...pik", base.linear_basis[1:].to(a), a)  # (..., P, N, K')
    d = (moved[..., None, :] * f[..., :, None, :, None]).flatten(-2)  # (..., P, N, J K')
    seen = projector[..., None, :, :] @ d
    form, right = (d.mH @ seen).sum(-3), (seen.mH @ a.mT[..., None]).sum(-3)[..., 0]
    width = moved.shape[-1]
    square = torch.cat([base.mean_square[None], 2 * family.deviation.square()]).to(a.device)  # (J, K)
    weight = RIDGE / square.repeat(1, width // k).flatten().clamp_min(LEAST_DEVIATION**2)
    form = form + torch.diag(weight).to(form)
    found = -torch.linalg.solve(form, right[..., None])[..., 0].unflatten(-1, (-1, width))
    first = base.clipped(base.parameters(_members(found[..., 0, :], k)))
    own = base.complex(first)
    own = torch.cat([own, own.conj()], -1) if base.hermitian else own
    # the others once more, since they must make up for what c_0 was moved by
    rest = right[..., width:] + (form[..., width:, :width] @ own[..., None])[..., 0]
    found = -torch.linalg.solve(form[..., width:, width:], rest[..., None])[..., 0].unflatten(-1, (-1, width))
    higher = base.parameters(_members(found, k))
    return family.clipped(family.from_rows(torch.cat([first[..., None, :], higher], -2)))


def _members(c: torch.Tensor, k: int) -> torch.Tensor:
    """Coefficients (..., K) of factors (..., K'); Hermitian families have c_k above the diagonal, conj(c_k) below."""
    return c if c.shape[-1] == k else 0.5 * (c[..., :k] + c[..., k:].conj())
