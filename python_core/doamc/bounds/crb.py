"""Stochastic Cramér-Rao bound with directions, powers, coupling and noise power all unknown.

The inverse of L F, with F_ij = Re tr(R^-1 dR_i R^-1 dR_j) (Slepian-Bangs formula for zero-mean circular data);
blocks of the inverse are the bounds with all other parameters unknown.

Coupling that depends on direction may have more parameters than a scene shows, since a source shows C of its own
direction alone: F is singular then. What it says nothing of has an infinite bound, and the pseudo-inverse has the
others. With the prior of those parameters, which is normal, the bound is the hybrid one ([Van Trees]): F plus the
precision of the prior.
"""

import math
from dataclasses import dataclass

import torch

from doamc.scenes.covariance import CovarianceModel
from doamc.scenes.gaussian_likelihood import fisher_information
from doamc.scenes.prior import Scene

UNSEEN = 1e-12  #: of the greatest eigenvalue of information of unit diagonal: what is less is round-off
SINGULAR = 1e-9  #: likewise without a series: at 40 dB round-off leaves up to 1e-11, shipped arrays have 5e-6 and more
UNTOLD = 1e-6  #: share of a parameter in directions of which nothing is seen, beyond which it is not told


@dataclass(frozen=True)
class CramerRao:
    """Standard deviations: azimuth (B, P) rad, power (B, P) dB, theta (B, 2 K), noise power (B,) dB.

    Infinite where the coupling can make up for a change, as of one source that is heard by few elements.
    Powers are incident ones: where elements have a pattern, they are known no better than the direction.

    elevation: (B, P) rad, and direction (B, P) rad, of the great-circle error; None where the array has no elevations.
    """

    azimuth: torch.Tensor
    power_db: torch.Tensor
    theta: torch.Tensor
    noise_power_db: torch.Tensor
    elevation: torch.Tensor | None = None
    direction: torch.Tensor | None = None


def cramer_rao(scene: Scene, n_snapshots: int, coupling_known: bool = False, hybrid: bool = False) -> CramerRao:
    """Bounds of a batch of scenes for L snapshots; coupling_known leaves the coupling out of the unknowns.

    hybrid: whether the prior of a series over direction counts ([coupling.directional]; other priors never do).
    """
    p = scene.azimuth.shape[1]
    model = CovarianceModel(scene.spec, p)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation)
    r, dr = model.derivatives(x)
    d = x.shape[1]
    first = model.first_power
    dr = _by_incident(scene, dr, first)
    keep = torch.cat([torch.arange(first + p), torch.tensor([d - 1])]) if coupling_known else torch.arange(d)
    f = n_snapshots * fisher_information(r, dr[:, keep])
    if hybrid and model.series is not None and not coupling_known:
        place = torch.arange(first + p, first + p + model.series.n_normal)
        f[:, place, place] += 1.0
    # scale to unit diagonal first: angles, coefficients and powers differ by orders of magnitude
    diagonal = f.diagonal(dim1=1, dim2=2)
    s = torch.where(diagonal > 0, diagonal, math.inf).rsqrt()
    scaled = s[:, :, None] * f * s[:, None]
    if model.series is not None and not coupling_known:
        variance = _variances(scaled) * s.square()
    else:
        singular = torch.linalg.eigvalsh(scaled)[:, 0] < SINGULAR
        untold = _variances(scaled[singular], SINGULAR) * s[singular].square()
        scaled[singular] = torch.eye(scaled.shape[1], dtype=f.dtype, device=f.device)
        variance = (torch.linalg.inv(scaled) * s[:, :, None] * s[:, None]).diagonal(dim1=1, dim2=2).clone()
        variance[singular] = untold
    std = torch.full_like(x, 0.0)
    std[:, keep] = variance.clamp_min(0).sqrt()
    decibel = 10 / math.log(10)
    elevation = direction = None
    if scene.elevation is not None:
        level = scene.elevation.cos()
        elevation = std[:, p:first] / level  # of its sine so far
        direction = torch.hypot(std[:, :p] * level, elevation)
    power_db, theta = decibel * std[:, first : first + p], std[:, first + p : -1]
    return CramerRao(std[:, :p], power_db, theta, decibel * std[:, -1], elevation, direction)


def _by_incident(scene: Scene, dr: torch.Tensor, first: int) -> torch.Tensor:
    """Derivatives (B, D, N, N) of R with log powers of what is incident in the place of those received.

    log p_received = log p + 2 log g(az, el): where p stays, what is received moves with the direction.
    """
    pattern = scene.spec.element
    if pattern is None:
        return dr
    p = scene.azimuth.shape[1]
    elevation = torch.zeros_like(scene.azimuth) if scene.elevation is None else scene.elevation
    gain = pattern.gain(scene.azimuth, elevation)
    by_azimuth, by_elevation = (2 * slope / gain for slope in pattern.slopes(scene.azimuth, elevation))
    power, out = dr[:, first : first + p], dr.clone()
    out[:, :p] += by_azimuth[..., None, None] * power
    if scene.elevation is not None:  # of its sine
        out[:, p:first] += (by_elevation / elevation.cos())[..., None, None] * power
    return out


def _variances(information: torch.Tensor, unseen: float = UNSEEN) -> torch.Tensor:
    """Diagonals (B, D) of the pseudo-inverses of information of unit diagonal; infinite where it says nothing."""
    values, vectors = torch.linalg.eigh(information)
    seen = values > unseen * values[:, -1:]
    own = vectors.square()
    known = (own / values.clamp_min(unseen)[:, None] * seen[:, None]).sum(2)
    return known.masked_fill((own * ~seen[:, None]).sum(2) > UNTOLD, math.inf)


def crb(scene: Scene, n_snapshots: int) -> torch.Tensor:
    """Bound on the standard deviations of directions in rad, (B, P), with coupling, powers and noise unknown.

    Of azimuths; of great-circle errors where the array has elevations.
    """
    bound = cramer_rao(scene, n_snapshots)
    return bound.azimuth if bound.direction is None else bound.direction
