"""Correlated sources: a factor Gamma of their correlation matrix, E[s s^H] = D Gamma Gamma^H D with D the amplitudes.

Gamma is lower triangular with rows of norm one, by angles psi in 0..pi/2 and phases phi (a stick broken in pieces):

    Gamma_pq = sin psi_pq prod_{k < q} cos psi_pk e^{j phi_pq},  q < p;    Gamma_pp = prod_{k < p} cos psi_pk

psi = 0 are uncorrelated sources; psi = pi/2 coherent ones, two paths of one emitter. The prior is uniform in both.
"""

import torch


def pairs(n_sources: int) -> list[tuple[int, int]]:
    """(p, q) of every pair q < p, in the order of the coordinates."""
    return [(p, q) for p in range(n_sources) for q in range(p)]


def factor(
    angle: torch.Tensor,  # shape: (B, pairs, S)
    phase: torch.Tensor,  # shape: (B, pairs, S)
    n_sources: int,
) -> torch.Tensor:
    """Gamma, (B, P, P, S)."""
    zero = torch.zeros_like(angle[:, 0]) + 0j
    rows, index = [], 0
    for p in range(n_sources):
        left, row = torch.ones_like(angle[:, 0]), []
        for _ in range(p):
            row.append(torch.polar((left * angle[:, index].sin()), phase[:, index]))
            left = left * angle[:, index].cos()
            index += 1
        rows.append(torch.stack([*row, left + 0j] + [zero] * (n_sources - p - 1), 1))
    return torch.stack(rows, 1)


def factor_slopes(angle: torch.Tensor, phase: torch.Tensor, n_sources: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Derivatives of Gamma by the angles and by the phases, each (B, pairs, P, P, S)."""
    gamma = factor(angle, phase, n_sources)
    by_angle, by_phase = [], []
    for index, (p, q) in enumerate(pairs(n_sources)):
        turned = angle.clone()
        turned[:, index] += torch.pi / 2  # the derivative of sin and cos alike: a quarter turn ahead
        ahead = factor(turned, phase, n_sources)
        row = torch.zeros_like(gamma)
        row[:, p, q:] = ahead[:, p, q:]
        by_angle.append(row)
        row = torch.zeros_like(gamma)
        row[:, p, q] = 1j * gamma[:, p, q]
        by_phase.append(row)
    return torch.stack(by_angle, 1), torch.stack(by_phase, 1)


def factor_angles(correlation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Angles and phases (..., pairs) of correlation matrices (..., P, P), made positive definite where they are not."""
    p = correlation.shape[-1]
    values, vectors = torch.linalg.eigh(correlation)
    root = vectors * values.clamp_min(1e-6).sqrt()[..., None, :]
    matrix = root @ root.mH
    size = matrix.diagonal(dim1=-2, dim2=-1).real.rsqrt()
    gamma = torch.linalg.cholesky(matrix * size[..., None] * size[..., None, :])
    angles, phases = [], []
    for i, j in pairs(p):
        left = (1 - gamma[..., i, :j].abs().square().sum(-1)).clamp_min(1e-12).sqrt()
        angles.append((gamma[..., i, j].abs() / left).clamp(0, 1).asin())
        phases.append(gamma[..., i, j].angle())
    return torch.stack(angles, -1), torch.stack(phases, -1)
