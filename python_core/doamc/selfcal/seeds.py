"""Couplings and directions that a batch alone suggests, by the array's own family: where an unknown coupling starts.

The belief is normal around the mean of the prior, whereas a family's coefficients may have any phase: the mean is then
a coupling that the array never has. From draws of the family and from rank reduction (RARE), modes are sought within
the family, which has few parameters.
"""

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.errors import EstimatorError
from doamc.estimators.coupled_music import CoupledMusic
from doamc.estimators.powers import source_powers
from doamc.estimators.rare import Rare
from doamc.likelihood.coordinates import make_coordinates
from doamc.selfcal.observation import Observation
from doamc.selfcal.scene import LEAST_POWER_DB, NOISE_DB, POWER_MARGIN_DB, fit_scenes, separated
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import ArraySpec

NEARNESS = 0.01  #: how well an entry of the coupling is matched, against the start prior
DRAWS, STEPS, KEPT = 48, 12, 6  #: couplings of the prior, steps of the mode search, proposals
GRID_DEG = 1.0


class Seeds:
    """Proposals for one array; none where its family is drawn from antennas, which is narrow."""

    def __init__(self, spec: ArraySpec, start: DrawnFamily) -> None:
        self.spec, self.start = spec, start
        if spec.family.narrow:  # its mean is near enough to start from
            return
        theta = spec.family.draw((DRAWS,), torch.Generator().manual_seed(0))
        self.rare, self.music = Rare(spec, GRID_DEG), CoupledMusic(spec, theta, GRID_DEG)

    def __call__(self, observed: Observation) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Pairs of directions and whitened parameters (K,) of the start prior, best first.

        Directions are azimuths (P,) in rad, behind sines of elevations (2 P,) where the array has elevations.
        """
        if self.spec.family.narrow:
            return []
        p, family = observed.n_sources, self.spec.family
        vectors = torch.linalg.eigh(observed.covariance)[1]
        theta, signal = self.music.theta, vectors[:, :, -p:]
        found = self.music.on_sphere(signal, p) if self.spec.elevated else (self.music.directions(signal, p),)
        azimuth, *tilt = (angle[0] for angle in found)
        try:
            more = self.rare.candidates(vectors, p, max(int(observed.snapshots), 1), 2)
            azimuth, theta = torch.cat([azimuth, more[0][0]]), torch.cat([theta, more[1][0]])
            tilt = [torch.cat([a, b[0]]) for a, b in zip(tilt, more[2:], strict=True)]
        except EstimatorError:  # a family too rich for rank reduction
            pass
        coordinates = make_coordinates(self.spec, p, observed.noise is None, NOISE_DB, POWER_MARGIN_DB)
        elevation = tilt[0].T[None] if tilt else None
        azimuth = azimuth.T[None] if tilt else separated(azimuth.T[None], coordinates)  # (1, P, S)
        v = family.response(theta, self.spec.positions, azimuth[0].T, *tilt)
        noise = noise_power_from_eigenvalues(observed.covariance, p) if observed.noise is None else observed.noise
        power_db = 10 * source_powers(observed.covariance.expand(len(v), -1, -1), v, noise.expand(len(v))).log10()
        flat, wrapping = (c.T[None] for c in family.coordinates(theta))
        noise_db = (10 * noise.log10())[:, None, None].expand(1, 1, len(v))
        power_db = power_db.T[None].clamp_min(LEAST_POWER_DB)
        x = coordinates.clip(coordinates.join(power_db, flat, noise_db, azimuth, wrapping, None, elevation))
        _, x, _ = fit_scenes(coordinates, observed.covariance, observed.length, observed.noise, x, STEPS, KEPT)
        _, flat, _, azimuth, wrapping = coordinates.split(x)
        heights = coordinates.heights(x)
        directions = azimuth[0].T if heights is None else torch.cat([heights[0].T, azimuth[0].T], 1)
        couplings = family.matrix(family.from_coordinates(flat[0].T, wrapping[0].T))
        return [(a, nearest_parameters(self.start, c)) for a, c in zip(directions, couplings, strict=True)]


def nearest_parameters(start: DrawnFamily, coupling: torch.Tensor) -> torch.Tensor:
    """Whitened parameters (K,) of a start prior whose coupling is nearest to (N, N), weighed against the prior."""
    e = torch.view_as_real(start.basis.contiguous()).flatten(1) / NEARNESS
    r = torch.view_as_real((coupling - start.centre).contiguous()).flatten() / NEARNESS
    return torch.linalg.solve(e @ e.T + torch.eye(len(e), dtype=e.dtype), e @ r)
