"""The ridge of a posterior: a curve along which the data tell nothing, long, thin and bent.

Two rows of a panel are told apart by their sum and difference. With w_p the phase of source p between the rows and c
the coupling between them the sums go with (1 + c) (1 + e^jw_p), the differences with (1 - c) (1 - e^jw_p), and seen is

    (1 - c) / (1 + c) tan(w_p / 2)

of every source, so that all elevations and the coupling can change together, and the likelihood stays the same. Such a
curve may leave the prior's box and come back to it. Chains get along it by the length of their steps, which may be no
longer than the curve is straight, a thousandth of it where SNR is high: they stay where they begin. So it is followed.
Coordinates are counted in widths of the box; the direction t of least information is the tangent, and after a step
along t scoring steps across t lead back onto the curve.
"""

from dataclasses import dataclass

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import WIDEST_STEP

LEAST_WIDTH = 0.27  #: of the box: 0.289 is the deviation of a uniform law, and less is told by the data
LONGER = 1.5  #: a ridge is so many times longer than wide, at the point where it is found
LEAST_COUPLING = 0.1  #: share of the tangent that is coupling: an elevation at the horizon has no slope, and no ridge
STEP, STEPS = 0.06, 60  #: of the box, each way
CORRECTIONS = 2  #: scoring steps across the ridge after each
LOWEST = 12.0  #: nats below the first point, where a ridge ends
BEYOND = 1.5  #: of the box's widths beyond it, where a ridge is given up
REACH = 3.0  #: deviations across the ridge, within which its surroundings are in the box


@dataclass(frozen=True)
class Frame:
    """Curvature of a log posterior at points (B, d, S), in widths of the box.

    information: (B, S, d) eigenvalues, ascending, directions (B, S, d, d) their vectors in columns, gradient (B, S, d).
    """

    information: torch.Tensor
    directions: torch.Tensor
    gradient: torch.Tensor

    @property
    def tangent(self) -> torch.Tensor:
        """Directions (B, S, d) of least information."""
        return self.directions[..., 0]

    @property
    def across(self) -> torch.Tensor:
        """Deviations (B, S, d) of all coordinates across the tangent."""
        return (self.directions[..., 1:].square() / self.information[..., None, 1:]).sum(-1).sqrt()


@dataclass(frozen=True)
class Ridge:
    """Points (B, d, M) in order, and which of the M - 1 intervals between them have draws in the box, (B, M - 1)."""

    points: torch.Tensor
    intervals: torch.Tensor


def frame_at(posterior: ExactPosterior, x: torch.Tensor) -> Frame:
    """Frame at points (B, d, S)."""
    width = widths(posterior.coordinates)
    gradient, f = posterior.backend.information(x)
    f = (f + torch.diag_embed(posterior.constants.prior_precision)).nan_to_num()
    values, vectors = torch.linalg.eigh(f * width[:, None] * width)
    return Frame(values, vectors, gradient.nan_to_num() * width)


def widths(coordinates: Coordinates) -> torch.Tensor:
    """Widths (d,) of the box; of a wrapping coordinate its period."""
    return coordinates.high - coordinates.low


def has_ridge(posterior: ExactPosterior, x: torch.Tensor) -> torch.Tensor:
    """Whether the posterior has a ridge through points (B, d) that coupling has part in, (B,) bool."""
    coordinates = posterior.coordinates
    frame = frame_at(posterior, x[:, :, None])
    first, second = frame.information[:, 0, :2].rsqrt().unbind(1)
    places = torch.arange(coordinates.size, device=x.device)[None, :, None]
    _, size, _, _, phase = coordinates.split(places)
    coupling = torch.cat([size, phase], 1)[0, :, 0]
    share = frame.tangent[:, 0, coupling].square().sum(1)
    return (first > LEAST_WIDTH) & (first > LONGER * second) & (share > LEAST_COUPLING)


def onto_ridge(posterior: ExactPosterior, x: torch.Tensor, steps: int) -> torch.Tensor:
    """Points (B, d, S) after scoring steps across the ridge, walls left out of account."""
    width = widths(posterior.coordinates)[:, None]
    for _ in range(steps):
        frame = frame_at(posterior, x)
        along = (frame.directions.mT @ frame.gradient[..., None])[..., 0] / frame.information
        along[..., 0] = 0
        step = (frame.directions @ along[..., None])[..., 0].clamp(-WIDEST_STEP, WIDEST_STEP)
        x = (x + width * step.transpose(1, 2)).contiguous()
    return x


def follow(posterior: ExactPosterior, x: torch.Tensor) -> Ridge:
    """The ridge through points (B, d), both ways, as long as the likelihood stays and the box is not far."""
    coordinates, width = posterior.coordinates, widths(posterior.coordinates)[:, None]
    start = onto_ridge(posterior, x[:, :, None].contiguous(), CORRECTIONS + 1)
    frame, least = frame_at(posterior, start), posterior.log_density(start) - LOWEST
    tangent = frame.tangent * frame.tangent.sum(2, keepdim=True).sign()  # whatever way the eigenvector came
    tangent = torch.cat([tangent, -tangent], 1)
    x, on = start.repeat(1, 1, 2), torch.ones(len(start), 2, dtype=torch.bool, device=start.device)
    points, near, alive = [], [], []
    for _ in range(STEPS):
        step = torch.where(on[..., None], STEP * tangent, 0.0)  # who is off the ridge goes nowhere
        new = onto_ridge(posterior, (x + width * step.transpose(1, 2)).contiguous(), CORRECTIONS)
        there = frame_at(posterior, new)
        on = on & (posterior.log_density(new) > least) & _within(coordinates, new, BEYOND * torch.ones_like(new))
        turned = there.tangent * (there.tangent * tangent).sum(2, keepdim=True).sign()
        tangent = torch.where(on[..., None], turned, tangent)
        x = torch.where(on[:, None], new, x)
        points.append(x)
        near.append(_in_reach(coordinates, new, there) & on)
        alive.append(on)
        if not on.any():
            break
    ways = torch.stack(points, 3)
    both = torch.cat([ways[:, :, 1].flip(2), start, ways[:, :, 0]], 2)

    def joined(flags: list[torch.Tensor], middle: torch.Tensor) -> torch.Tensor:
        way = torch.stack(flags, 2)
        return torch.cat([way[:, 1].flip(1), middle, way[:, 0]], 1)

    reached = joined(near, _in_reach(coordinates, start, frame))
    real = joined(alive, torch.ones_like(on[:, :1]))
    return Ridge(both, (reached[:, 1:] | reached[:, :-1]) & real[:, 1:] & real[:, :-1])


def _in_reach(coordinates: Coordinates, x: torch.Tensor, frame: Frame) -> torch.Tensor:
    return _within(coordinates, x, REACH * frame.across.transpose(1, 2))


def _within(coordinates: Coordinates, x: torch.Tensor, margin: torch.Tensor) -> torch.Tensor:
    """Whether points (B, d, S) are in the box but for a margin, in its widths, (B, S)."""
    n = coordinates.n_box
    place = (x - coordinates.low[:, None]) / widths(coordinates)[:, None]
    return ((place > -margin) & (place < 1 + margin))[:, :n].all(1)
