"""Cramér-Rao bound of a sounded link: directions, both couplings and all gains unknown.

The mean Psi^s alpha^s carries all information about them (the noise power decouples), so the Fisher information is
2 / s2 Re J^H J over the real unknowns [x, Re alpha, Im alpha] (Slepian-Bangs formula for known covariance). Where a
specification has a normal prior over the rows of a series its precision counts, too: the hybrid bound ([Van Trees]).
"""

from dataclasses import dataclass

import torch

from doamc.errors import EstimatorError
from doamc.mimo.channel import Rays
from doamc.mimo.criterion import LinkModel


@dataclass(frozen=True)
class LinkBound:
    """Standard deviations: azimuth_rx, azimuth_tx (B, P) rad; theta_rx, theta_tx (B, Q, 2 K); gains (B, S, P).

    That of a gain is the root of the mean square of its complex error. covariance: of x, (B, D, D). elevation_rx,
    elevation_tx: (B, P) rad, None where the end has no elevations.
    """

    azimuth_rx: torch.Tensor
    azimuth_tx: torch.Tensor
    theta_rx: torch.Tensor
    theta_tx: torch.Tensor
    gains: torch.Tensor
    covariance: torch.Tensor
    elevation_rx: torch.Tensor | None = None
    elevation_tx: torch.Tensor | None = None


def link_fisher(model: LinkModel, rays: Rays, noise_power: float) -> torch.Tensor:
    """Fisher information of [x, Re alpha^1, Im alpha^1, .., Re alpha^S, Im alpha^S], (B, D + 2 P S, D + 2 P S)."""
    x = model.pack(rays)
    jacobian, (b, s, p) = model.derivatives(x, rays.gains), rays.gains.shape
    psi = model.psi(x).expand(-1, s, -1, -1)
    own = torch.zeros(b, s, psi.shape[2], s, 2 * p, dtype=psi.dtype)
    subcarrier = torch.arange(s)
    own[:, subcarrier, :, subcarrier] = torch.cat([psi, 1j * psi], -1).transpose(0, 1)
    flat = torch.cat([jacobian, own.flatten(3)], -1).flatten(1, 2)
    return 2 / noise_power * (flat.mH @ flat).real


def cramer_rao(model: LinkModel, rays: Rays, noise_power: float) -> LinkBound:
    """Bounds of a batch of links.

    Raises EstimatorError where the Fisher information is singular, so that the unknowns cannot be told apart by the
    soundings: more Fourier orders than the paths show, or fewer symbols than unknowns.
    """
    fisher = link_fisher(model, rays, noise_power)
    place = torch.arange(len(model.precision))
    fisher[:, place, place] += model.precision
    inverse = _inverse(model, fisher)
    d, (_, s, p) = sum(model.sizes), rays.gains.shape
    variance = inverse.diagonal(dim1=1, dim2=2)
    parts = model.unpack(variance[:, :d].sqrt(), rays.gains)
    gains = variance[:, d:].unflatten(1, (s, 2, p)).sum(2).sqrt()
    return LinkBound(parts.azimuth_rx, parts.azimuth_tx, parts.theta_rx, parts.theta_tx, gains, inverse[:, :d, :d],
                     parts.elevation_rx, parts.elevation_tx)  # fmt: skip


def local_deviations(model: LinkModel, rays: Rays, received: torch.Tensor, noise_power: torch.Tensor) -> Rays:
    """Standard deviations of directions and couplings at an estimate, noise_power (B,): as `cramer_rao`, of them alone.

    From the curvature of the likelihood with the gains eliminated, whose size does not grow with the subcarriers; the
    gains are those that were given. Raises EstimatorError as `cramer_rao`.
    """
    x = model.pack(rays)
    gains, _, q = model.concentrated(x, received)
    jacobian = model.derivatives(x, gains)
    flat, whole = (jacobian - q @ (q.mH @ jacobian)).flatten(1, 2), jacobian.flatten(1, 2)
    # what only rounding leaves of a slope beside the gains is no information
    if bool((flat.norm(dim=1) < 1e-7 * whole.norm(dim=1)).any()):
        raise _unidentifiable(model)
    # relative to the symbols: without noise all deviations are zero
    information = 2 * (flat.mH @ flat).real
    if model.precision.any():
        information = information + noise_power[:, None, None] * torch.diag(model.precision)
    covariance = _inverse(model, information)
    std = (noise_power[:, None] * covariance.diagonal(dim1=1, dim2=2)).sqrt()
    return model.unpack(std, gains)


def _inverse(model: LinkModel, fisher: torch.Tensor) -> torch.Tensor:
    """Inverse of information (B, D, D). Raises EstimatorError where it has none."""
    # unit diagonal first: angles, coefficients and gains differ by orders of magnitude
    scale = fisher.diagonal(dim1=1, dim2=2).clamp_min(1e-300).rsqrt()
    values, vectors = torch.linalg.eigh(scale[:, :, None] * fisher * scale[:, None])
    if bool((values[:, 0] < 1e-12).any()):
        raise _unidentifiable(model)
    return scale[:, :, None] * (vectors / values[:, None]) @ vectors.mT * scale[:, None]


def _unidentifiable(model: LinkModel) -> EstimatorError:
    return EstimatorError(
        f"directions and coupling of {model.n_paths} paths are not identifiable from these soundings: "
        "take more symbols or subcarriers, fewer Fourier orders, or one coupling matrix for all directions"
    )
