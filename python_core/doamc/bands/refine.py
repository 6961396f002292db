"""Directions near places that are known already: weighted subspace fitting of many signals at once, in Newton steps.

With the P largest eigenvalues of a covariance, its noise power s and the weights W = (Lambda - s)^2 / Lambda
(Viberg and Ottersten 1991, "Sensor array processing based on subspace fitting", eq. (41)-(48)), for responses A and
their derivatives D by azimuth,

    V = tr(P_A^perp U W U^H),  g = -2 Re diag(M A^+ ... ),  H = 2 Re[(D^H P_A^perp D) * (A^+ U W U^H A^+H)^T]

and directions have the covariance s / L H^-1, which is the bound for many snapshots.
"""

from dataclasses import dataclass

import torch

STEPS = 3
REACH_RAD = 0.15  #: from its place, within which a response is known by its first two derivatives


@dataclass(frozen=True)
class Local:
    """Responses of sources around a place: azimuth (..., P) in rad, their response and two derivatives (..., N, P)."""

    azimuth: torch.Tensor
    response: torch.Tensor
    slope: torch.Tensor
    bend: torch.Tensor

    def at(self, azimuth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Responses and their slopes (..., N, P) at azimuths (..., P) near by."""
        x = (azimuth - self.azimuth).unsqueeze(-2)
        return self.response + x * (self.slope + x / 2 * self.bend), self.slope + x * self.bend


@dataclass(frozen=True)
class Refined:
    """azimuth, std, power (B, P); rad, rad, linear. NaN where a source is not to be told from noise or another one."""

    azimuth: torch.Tensor
    std: torch.Tensor
    power: torch.Tensor


def refine(
    covariance: torch.Tensor,  # shape: (B, N, N)
    snapshots: torch.Tensor,  # shape: (B,)
    local: Local,  # of B signals of P sources
) -> Refined:
    """Directions of B signals by their covariances alone, sought from their places."""
    n, p = local.response.shape[-2:]
    values, vectors = torch.linalg.eigh(covariance)
    noise = values[:, : n - p].mean(1)
    above = (values[:, n - p :] - noise[:, None]).clamp_min(1e-6 * noise[:, None])
    u = vectors[:, :, n - p :]
    weighted = (u * (above.square() / values[:, n - p :])[:, None]) @ u.mH
    azimuth, eye = local.azimuth, torch.eye(n, dtype=covariance.dtype)
    for k in range(STEPS + 1):
        a, d = local.at(azimuth)
        pinv = torch.linalg.pinv(a)
        rest = eye - a @ pinv
        curve = 2 * ((d.mH @ rest @ d) * (pinv @ weighted @ pinv.mH).mT).real
        root, bad = torch.linalg.cholesky_ex(curve)
        if k == STEPS:
            break
        downhill = 2 * (pinv @ weighted @ rest @ d).diagonal(dim1=1, dim2=2).real
        step = torch.linalg.solve(torch.where(bad[:, None, None] > 0, torch.eye(p, dtype=curve.dtype), curve), downhill)
        azimuth = torch.where(bad[:, None] > 0, azimuth, azimuth + step.clamp(-REACH_RAD / 2, REACH_RAD / 2))
    inverse = torch.cholesky_inverse(torch.where(bad[:, None, None] > 0, torch.eye(p, dtype=curve.dtype), root))
    std = ((noise / snapshots)[:, None] * inverse.diagonal(dim1=1, dim2=2)).sqrt()
    power = (pinv @ (covariance - noise[:, None, None] * eye) @ pinv.mH).diagonal(dim1=1, dim2=2).real
    lost = (bad > 0) | ((azimuth - local.azimuth).abs() > REACH_RAD).any(1) | (power <= 0).any(1)
    return Refined(*(torch.where(lost[:, None], torch.nan, x) for x in (azimuth, std, power)))
