"""Block-sparse Bayesian learning: powers of grid directions, the block shape they share, and the noise, by evidence.

    y ~ CN(0, R),   R = sum_g gamma_g T_g S T_g^H + s2 I,   T_g = [E_0 a_g, E_1 a_g, ...]

C a = T(az) c over a linear coupling family, so a direction is a block of unknowns b_g = c s_g whose correlation S tends
to c c^H: the correlation within a block *is* the coupling, as in [Zhang-Rao]. Minus the log
evidence, log det R + tr R^-1 R_hat, is lowered by majorisation: each of gamma, S and s2 gets the geometric mean of its
value and of what the data ask for, which never raises it and, unlike EM, does not slow down where powers are small.
"""

from dataclasses import dataclass

import torch

from doamc.angles import wrap_rad
from doamc.coupling.coefficients import CoefficientFamily


@dataclass
class BlockState:
    """gamma (B, G), shape S (B, K', K') with S_00 = 1, noise power (B,)."""

    gamma: torch.Tensor
    shape: torch.Tensor
    noise: torch.Tensor


def prior_shape(family: CoefficientFamily) -> torch.Tensor:
    """S before anything is learnt: diag(1, E|c_1|^2, ...), (K', K'); at least 1e-4 on the diagonal."""
    return torch.diag(family.span_mean_square.clamp_min(1e-4)).to(torch.complex128)


def block_spans(family: CoefficientFamily, response: torch.Tensor) -> torch.Tensor:
    """Blocks T (..., N, K') of uncoupled responses a (..., N)."""
    return torch.einsum("kij,...j->...ik", family.linear_basis, response)


def learn(
    spans: torch.Tensor,  # shape: (B or 1, G, N, K')
    covariance: torch.Tensor,  # shape: (B, N, N)
    shape: torch.Tensor,  # shape: (K', K') or (B, K', K'), start of S
    noise_power: torch.Tensor | None,  # shape: (B,), where known
    iterations: int,
    learn_shape: bool = True,
    state: BlockState | None = None,
) -> BlockState:
    """Lower minus the log evidence, from the powers of a beamformer unless a state is given."""
    b, n = covariance.shape[0], covariance.shape[-1]
    g, k = spans.shape[1], spans.shape[3]
    level = covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    s = shape.expand(b, k, k) if state is None else state.shape
    gamma = (level / g)[:, None].expand(b, g).clone() if state is None else state.gamma
    noise = noise_power if noise_power is not None else 0.1 * level if state is None else state.noise
    flat = spans.transpose(1, 2).flatten(2)  # (B, N, G K')
    eye = torch.eye(n, dtype=covariance.dtype)
    for _ in range(iterations):
        colored = (spans @ s[:, None]).transpose(1, 2).flatten(2)  # T_g S
        weight = gamma.repeat_interleave(k, 1)[:, None]
        r = (colored * weight) @ flat.mH + noise[:, None, None] * eye
        w = torch.linalg.inv(0.5 * (r + r.mH))
        wrw = w @ covariance @ w
        asked, given = ((flat.conj() * (m @ colored)).sum(1).real.unflatten(1, (g, k)).sum(2) for m in (wrw, w))
        if learn_shape:
            s = _shape(flat, weight, s, w, wrw, k)
        gamma = gamma * (asked.clamp_min(0) / given.clamp_min(1e-300)).sqrt()
        if noise_power is None:
            noise = noise * (_trace(wrw) / _trace(w)).sqrt()
        scale = s[:, 0, 0].real
        s, gamma = s / scale[:, None, None], gamma * scale[:, None]
    return BlockState(gamma, s, noise)


def _shape(
    flat: torch.Tensor, weight: torch.Tensor, s: torch.Tensor, w: torch.Tensor, wrw: torch.Tensor, k: int
) -> torch.Tensor:
    """S' of S' F S' = S Q S: F = sum gamma T^H W T and Q = sum gamma T^H W R_hat W T, the Hermitian geometric mean."""
    b, n = w.shape[0], w.shape[-1]
    blocks = flat.expand(b, -1, -1).reshape(b, n, -1, k)
    f, q = (torch.einsum("bngk,bngl->bkl", blocks.conj(), ((m @ flat) * weight).reshape(b, n, -1, k)) for m in (w, wrw))
    root = _power(f, 0.5)
    inverse = _power(f, -0.5)
    return inverse @ _power(root @ s @ q @ s @ root, 0.5) @ inverse


def _power(matrix: torch.Tensor, exponent: float) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.mH))
    values = torch.maximum(values, 1e-12 * values[:, -1:].clamp_min(1e-300))
    return (vectors * (values**exponent)[:, None]) @ vectors.mH


def _trace(matrix: torch.Tensor) -> torch.Tensor:
    return matrix.diagonal(dim1=1, dim2=2).real.sum(1)


def coefficients(family: CoefficientFamily, shape: torch.Tensor) -> torch.Tensor:
    """Real parameters (B, 2 K) from the leading eigenvector of S."""
    return family.from_span(torch.linalg.eigh(shape)[1][..., -1])


def merged_peaks(
    gamma: torch.Tensor,  # shape: (B, G), powers of the grid directions
    grid: torch.Tensor,  # shape: (G,), rad, even
    n_peaks: int,
    separation: float,
    wraps: bool,
) -> torch.Tensor:
    """Azimuths (B, n_peaks), strongest first: centres of power of what lies together.

    A direction between grid points shows as two or three spikes. The strongest spike takes in what lies within
    0.4 of the least separation (at least one point each side), and so on with the rest.
    """
    step = float(grid[1] - grid[0])
    reach = max(step, 0.4 * separation) * (1 + 1e-9)
    rest, out = gamma.clone(), []
    for _ in range(n_peaks):
        top = grid[rest.argmax(1)][:, None]
        away = grid - top
        if wraps:
            away = wrap_rad(away)
        mass = torch.where(away.abs() <= reach, rest, 0.0)
        centre = top[:, 0] + (mass * away).sum(1) / mass.sum(1).clamp_min(1e-300)
        out.append(wrap_rad(centre, float(grid[0])) if wraps else centre)
        rest = torch.where(away.abs() <= reach, 0.0, rest)
    return torch.stack(out, 1)
