"""Gradient of the log likelihood and Fisher information in the coordinates of a scene, for many chains.

With dV_i the derivative of V by coordinate i, R^-1 = Ri, H = V^H Ri V:
g_i = 2 L Re tr(V^H Ri (Rhat - R) Ri dV_i)
F_ij = 2 L Re [tr(V^H Ri dV_i V^H Ri dV_j) + tr(H dV_j^H Ri dV_i)]
(Stoica and Moses, Spectral Analysis of Signals, eq. (B.3.3): F_ij = L tr(Ri dR_i Ri dR_j).)
"""

from typing import TYPE_CHECKING

import torch

from doamc.coupling.angular import angular_slopes, sphere_slopes
from doamc.likelihood.coordinates import across
from doamc.likelihood.source_correlation import factor_slopes

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior


def derivatives(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, S)
) -> tuple[torch.Tensor, torch.Tensor]:
    """V (B, S, N, P) and its derivatives (B, S, d', N, P) by the coordinates of x, noise left out (it moves no V)."""
    coordinates = posterior.coordinates
    amplitude, size, _, azimuth, phase = coordinates.split(x)
    b, p, s = azimuth.shape
    height = coordinates.heights(x)
    a = torch.polar(amplitude.exp()[:, None], posterior.phase(azimuth, height))  # (B, N, P, S)
    if height is not None:
        turn, rise = _turns(posterior, azimuth, height)
    elif posterior.planar:
        turn = (posterior.wave @ torch.stack([-azimuth.sin(), azimuth.cos()], 1).view(b, 2, p * s)).view_as(a)
    else:
        turn = azimuth.cos()[:, None] * posterior.wave[:, :, None]
    both = torch.stack([a, a * torch.complex(torch.zeros_like(turn), turn)], 1)
    risen = [] if height is None else [a * 1j * rise]
    if posterior.n_blocks > 1:
        j = posterior.n_blocks
        g = posterior.functions(azimuth, height).transpose(0, 1)[:, None, :, None]
        slopes = [angular_slopes(azimuth, j)] if height is None else sphere_slopes(azimuth, height, j)
        slope, *climb = (s.transpose(0, 1)[:, :, None] for s in slopes)
        risen = [(g[:, 0] * r[:, None] + c * a[:, None]).flatten(1, 2) for r, c in zip(risen, climb, strict=True)]
        extended = (g * both[:, :, None]).flatten(2, 3)  # (B, 2, J N, P, S)
        both = torch.stack([extended[:, 0], extended[:, 1] + (slope * a[:, None]).flatten(1, 2)], 1)
    family, n = coordinates.spec.family, a.shape[1]
    flat = both.view(b, 2, -1, p * s)
    moved = (posterior.patterns @ flat).view(b, 2, -1, n, p, s)
    c = posterior.coefficients(size, phase)[:, None, 1:, None, None]
    first = both if posterior.constants.starts_uncoupled else (posterior.mean @ flat).view(b, 2, n, p, s)
    v, dv = (first + (moved * c).sum(2)).unbind(1)
    eye = torch.eye(p, dtype=v.dtype, device=v.device)[:, None, :, None]
    by_height = [posterior.coupled(x, r)[:, None] * eye for r in risen]
    by_azimuth = dv[:, None] * eye
    by_power = v[:, None] * eye
    real = size.shape[1] - family.n_wrapping
    t, own, k = moved[:, 0], moved[:, 0, real:], family.n_wrapping
    if not k:  # the coordinates are the coefficients
        return _mixed(posterior, x, v, [by_power, t], [*by_height, by_azimuth])
    u = torch.polar(torch.ones_like(phase), phase)[:, :, None, None]
    by_size = own[:, :k] * u + (own[:, k:] * u.conj() if family.hermitian else 0)
    turned = 1j * size[:, real:, None, None] * u
    by_phase = own[:, :k] * turned + (own[:, k:] * turned.conj() if family.hermitian else 0)
    tail = [by_azimuth, by_phase] if coordinates.azimuth_first else [by_phase, by_azimuth]
    return _mixed(posterior, x, v, [by_power, t[:, :real], by_size], [*by_height, *tail])


def _turns(
    posterior: "ExactPosterior",
    azimuth: torch.Tensor,  # shape: (B, P, S)
    height: torch.Tensor,  # shape: (B, P, S)
) -> tuple[torch.Tensor, torch.Tensor]:
    """Derivatives (B, N, P, S) of the phases by azimuth and by height."""
    b, p, s = azimuth.shape
    level, cosine, sine = across(height), azimuth.cos(), azimuth.sin()
    slope = -height / level
    by_azimuth = torch.stack([-level * sine, level * cosine, torch.zeros_like(sine)], 1)
    by_height = torch.stack([slope * cosine, slope * sine, torch.ones_like(sine)], 1)
    unit = torch.cat([by_azimuth, by_height], 2).view(b, 3, 2 * p * s)
    turn, rise = (posterior.wave @ unit).view(b, -1, 2 * p, s).split(p, 2)
    return turn, rise


def _mixed(
    posterior: "ExactPosterior",
    x: torch.Tensor,
    v: torch.Tensor,  # shape: (B, N, P, S)
    head: list[torch.Tensor],  # derivatives (B, ., N, P, S) before those by the correlations' angles
    tail: list[torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """V and its derivatives with the chains in front, times Gamma where sources may be coherent."""
    coordinates = posterior.coordinates
    if not coordinates.n_pairs:
        return v.permute(0, 3, 1, 2), torch.cat([*head, *tail], 1).permute(0, 4, 1, 2, 3)
    slopes = factor_slopes(*coordinates.split_correlation(x), coordinates.n_sources)
    by_angle, by_phase = (torch.einsum("bnps,bkpqs->bknqs", v, g) for g in slopes)
    head, tail = ([posterior.mixed(x, d) for d in part] for part in (head, tail))
    d = torch.cat([*head, by_angle, *tail, by_phase], 1)
    return posterior.mixed(x, v).permute(0, 3, 1, 2), d.permute(0, 4, 1, 2, 3)


def information(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, S)
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient (B, S, d) of the log density and Fisher information (B, S, d, d) with the normal prior's precision."""
    gradient, f = likelihood_information(posterior, x)
    coordinates = posterior.coordinates
    if coordinates.n_normal:
        own = coordinates.normal
        gradient[..., own] -= x[:, own].transpose(1, 2)
        f[..., own, own] += torch.eye(coordinates.n_normal, dtype=f.dtype, device=f.device)
    return gradient, f


def likelihood_information(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, S)
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient (B, S, d) of the log likelihood and Fisher information (B, S, d, d)."""
    v, d = derivatives(posterior, x)
    gradient, f = response_information(posterior, v, d, posterior.noise_power(x).expand(v.shape[:2]))
    if not posterior.coordinates.unknown_noise:
        return gradient, f
    order = posterior.constants.noise_last
    return gradient[..., order], f.index_select(2, order).index_select(3, order)


def response_information(
    posterior: "ExactPosterior",
    v: torch.Tensor,  # shape: (B, S, N, P), the response V
    d: torch.Tensor,  # shape: (B, S, d', N, P), its derivatives by any d' real parameters
    s2: torch.Tensor,  # shape: (B, S), noise power
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient (B, S, d' + 1) and Fisher information (B, S, d' + 1, d' + 1) by what moves V, and by log noise power.

    The noise comes last, and is left out where it is known.
    """
    b, s, n, p = v.shape
    ri = torch.linalg.inv(torch.baddbmm(s2.reshape(-1, 1, 1) * posterior.eye, *_pair(v)).view(b, s, n, n))
    count = posterior.snapshots[..., None]
    u = ri @ v  # (B, S, N, P)
    rr = ri @ posterior.covariance[:, None]
    z = rr @ u - u
    flat = d.flatten(3)  # (B, S, d', N P)
    # one product for the gradient and the noise's cross terms
    sides = torch.stack([z, ri @ u], -1).flatten(2, 3).conj()
    ends = (flat @ sides).real * (2 * count[..., None])  # (B, S, d', 2)
    x_i = (u.mH[:, :, None] @ d).flatten(3)  # V^H Ri dV_i
    turned = x_i.unflatten(-1, (p, p)).transpose(-1, -2).flatten(3)
    moved = (ri[:, :, None] @ (d @ (v.mH @ u)[:, :, None])).flatten(3)
    f = torch.cat([x_i, moved], -1) @ torch.cat([turned, flat.conj()], -1).transpose(-1, -2)
    f = f.real * (2 * count[..., None])
    gradient = ends[..., 0]
    if not posterior.coordinates.unknown_noise:
        return gradient, f
    scale = (posterior.snapshots * s2)[..., None]
    own = scale * s2[..., None] * torch.view_as_real(ri).square().sum((-1, -2, -3))[..., None]
    trace = torch.view_as_real((rr - posterior.eye) * ri.transpose(-1, -2))[..., 0].sum((-1, -2))[..., None] * scale
    cross = ends[..., 1] * s2[..., None]
    side = torch.cat([f, cross[..., None]], -1)
    whole = torch.cat([side, torch.cat([cross, own], -1)[:, :, None]], 2)
    return torch.cat([gradient, trace], -1), whole


def _pair(v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    flat = v.flatten(0, 1)
    return flat, flat.mH
