"""Grids of directions at both ends of a link, of which every pair is a candidate path.

Steps are those of the azimuth grid, or the wider ones that the beamwidth of an array asks on the sphere: a path between
the points is still seen at its neighbours.
"""

import math

import torch

from doamc.estimators.sphere import SphereGrid, beam_step
from doamc.mimo.blocks import grid
from doamc.mimo.link_end import LinkEnd

BEAM_STEPS = 2.0  #: step on the sphere, in those of `SphereGrid`: three to four points a beamwidth


class EndGrid:
    """directions: (G, 1 or 2) rad. step: distance of neighbours, rad. neighbours: (G, M) places of those of each."""

    def __init__(self, end: LinkEnd, step_deg: float) -> None:
        if end.spec.elevated:
            self.step = max(math.radians(step_deg), BEAM_STEPS * beam_step(end.spec))
            sphere = SphereGrid(end.spec, self.step)
            # half a step inside: at the horizon the slope by elevation of a flat array is zero, and nothing descends
            low, high = end.spec.elevation_rad
            inside = min(0.5 * self.step, 0.25 * (high - low))
            elevation = sphere.elevation.clamp(low + inside, high - inside)
            self.directions = torch.stack([sphere.azimuth, elevation], 1)
            self.neighbours = sphere.neighbours
        else:
            azimuth = grid(end.spec, step_deg)
            count, place = len(azimuth), torch.arange(len(azimuth))
            beside = place[:, None] + torch.arange(-1, 2)
            self.step = float(azimuth[1] - azimuth[0])
            self.directions = azimuth[:, None]
            self.neighbours = beside % count if end.spec.full_circle else beside.clamp(0, count - 1)

    def __len__(self) -> int:
        return len(self.directions)


def around(score: torch.Tensor, rows: EndGrid, columns: EndGrid) -> torch.Tensor:
    """Largest score among the neighbours of every pair at both ends, (R, Q)."""
    over = torch.stack([score[near] for near in rows.neighbours.T]).amax(0)
    return torch.stack([over[:, near] for near in columns.neighbours.T]).amax(0)


def highest_pairs(score: torch.Tensor, rows: EndGrid, columns: EndGrid, count: int) -> torch.Tensor:
    """Flat places of the highest local maxima of scores (R, Q) >= 0; where fewer exist, the highest other pairs."""
    top = torch.where(score >= around(score, rows, columns), score + float(score.max()), score)
    return top.flatten().topk(min(count, top.numel())).indices
