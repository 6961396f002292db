"""Whether sources found as uncorrelated may be correlated after all: a score test at the scene that was found.

With R = V V^H + s2 I at the scene, the covariance of two correlated sources has v_p v_q^H + v_q v_p^H and
j (v_p v_q^H - v_q v_p^H) for directions. With W = R^-1/2 and D_i = W dR_i W, the score is
g_i = L tr(W (Rhat - R) W D_i), the information F_ij = L Re tr(D_i D_j); what the scene's own coordinates n (with the
precision of their prior) leave of those of correlation c is

    g = g_c - F_cn F_nn^-1 g_n,    F = F_cc - F_cn F_nn^-1 F_nc,    T = g^T F^-1 g

which is chi-square with P (P - 1) degrees of freedom for uncorrelated sources (Rao 1948). Coherent sources lead the
uncorrelated model to other places; the score there is as large. For L < N the distribution is another.
"""

from typing import TYPE_CHECKING

import torch

from doamc.likelihood.fisher import derivatives
from doamc.likelihood.source_correlation import pairs

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior

#: share of batches of uncorrelated sources that are taken for perhaps correlated
FALSE_ALARMS = 0.01
UNIT_RIDGE = 1e-9  #: on the diagonal of a matrix scaled to one: round-off must not make it indefinite


def perhaps_correlated(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, S), samples
) -> torch.Tensor:
    """Whether sources may be correlated, (B,) bool; always where there are fewer snapshots than elements."""
    value = posterior(x)
    best = x.gather(2, value.argmax(1)[:, None, None].expand(-1, x.shape[1], -1))[:, :, 0]
    p = posterior.coordinates.n_sources
    freedom = torch.tensor(0.5 * p * (p - 1), dtype=x.dtype, device=x.device)
    chance = torch.special.gammaincc(freedom, 0.5 * correlation_statistic(posterior, best).clamp_min(0.0))
    return (chance < FALSE_ALARMS) | (posterior.snapshots[:, 0] < posterior.covariance.shape[-1])


def correlation_statistic(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d), near the mode
) -> torch.Tensor:
    """T (B,)."""
    v, dv = (t[:, 0] for t in derivatives(posterior, x[..., None]))  # (B, N, P), (B, d', N, P)
    noise = posterior.noise_power(x[..., None])[:, 0]
    eye = torch.eye(v.shape[1], dtype=v.dtype, device=v.device)
    r = v @ v.mH + noise[:, None, None] * eye
    half = dv @ v[:, None].mH
    own = [half + half.mH]
    if posterior.coordinates.unknown_noise:
        own.append((noise[:, None, None] * eye)[:, None])
    cross = torch.stack(
        [turn * (v[:, :, p, None] * v[:, None, :, q].conj()) for p, q in pairs(v.shape[2]) for turn in (1, 1j)], 1
    )
    slopes = torch.cat([cross + cross.mH, *own], 1)
    root = torch.linalg.inv(torch.linalg.cholesky(r))[:, None]
    d = root @ slopes @ root.mH
    left = root[:, 0] @ (posterior.covariance - r) @ root[:, 0].mH
    length = posterior.snapshots
    flat = torch.view_as_real(d.contiguous()).flatten(2)
    score = length * (flat @ torch.view_as_real(left.contiguous()).flatten(1)[..., None])[..., 0]
    f = length[..., None] * (flat @ flat.mT)
    c, precision = cross.shape[1], posterior.constants.prior_precision
    if posterior.coordinates.unknown_noise:
        precision = precision[posterior.constants.noise_last.argsort()]
    f[:, c:, c:] += torch.diag_embed(precision)
    gain = torch.linalg.solve(f[:, c:, c:], f[:, c:, :c]).mT
    g = score[:, :c] - (gain @ score[:, c:, None])[..., 0]
    s = f[:, :c, :c] - gain @ f[:, c:, :c]
    scale = s.diagonal(dim1=1, dim2=2).clamp_min(1e-12).rsqrt()
    unit = s * scale[:, :, None] * scale[:, None] + UNIT_RIDGE * torch.eye(c, dtype=s.dtype, device=s.device)
    return (scale * g * torch.linalg.solve(unit, scale * g)).sum(1)
