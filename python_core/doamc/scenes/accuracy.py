"""How far estimates are from the scene that they are of: bearings, hits, the coupling matrix."""

import math

import torch

from doamc.angles import wrap_rad
from doamc.arrays.steering import direction
from doamc.scenes.directions import nearest_order

HIT_DEG = 2.0  #: a scene is hit when every source is found within this


def azimuth_error(
    true: torch.Tensor,  # shape: (B, P), rad
    estimate: torch.Tensor,  # shape: (B, P), rad
    full_circle: bool,
) -> torch.Tensor:
    """Errors (B, P) in rad of the best assignment in order: sorted on a line, the best rotation on a circle."""
    if not full_circle:
        return estimate.sort(1)[0] - true.sort(1)[0]
    true, estimate = (wrap_rad(x, 0.0).sort(1)[0] for x in (true, estimate))
    turns = wrap_rad(torch.stack([estimate.roll(s, 1) - true for s in range(true.shape[1])]))
    best = turns.square().sum(2).nan_to_num(math.inf).argmin(0)
    return turns[best, torch.arange(len(true))]


def direction_order(
    true: tuple[torch.Tensor, torch.Tensor],  # azimuths and elevations, each (B, P), rad
    estimate: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Which estimate goes with each source, (B, P): the order with the least sum of squared distances on the sphere."""
    cosine = torch.einsum("bpk,bqk->bpq", direction(*true), direction(*estimate))[..., None]
    return nearest_order(cosine.nan_to_num(-1.0))[:, :, 0]


def direction_error(
    true: tuple[torch.Tensor, torch.Tensor],  # azimuths and elevations, each (B, P), rad
    estimate: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Great-circle errors (B, P) in rad of the best assignment; NaN where a source is not told."""
    order = direction_order(true, estimate)
    azimuth, elevation = (angle.gather(1, order) for angle in estimate)
    return great_circle(true, (azimuth, elevation))


def great_circle(
    one: tuple[torch.Tensor, torch.Tensor],  # azimuths and elevations, each (B, P), rad
    other: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Angles (B, P) in rad between directions."""
    return 2 * (0.5 * (direction(*one) - direction(*other)).norm(dim=2)).clamp_max(1.0).asin()


def is_hit(error: torch.Tensor) -> torch.Tensor:
    """Whether every source of a scene is found, (B,), of errors (B, P) in rad; NaN is no hit."""
    return error.abs().amax(1) < math.radians(HIT_DEG)


def coupling_gain_db(true: torch.Tensor, estimate: torch.Tensor) -> float | None:
    """Mean squared error of C = I over that of the estimate, dB, each after its best complex scale; (B, N, N)."""
    known = torch.isfinite(estimate.abs()).flatten(1).all(1)
    if not known.any():
        return None
    true, estimate = true[known], estimate[known]
    eye = torch.eye(true.shape[-1], dtype=true.dtype).expand_as(true)
    reference, error = (scaled_error(true, x).mean().item() for x in (eye, estimate))
    return 10 * math.log10(reference / max(error, 1e-30)) if reference > 0 else None


def scaled_error(true: torch.Tensor, estimate: torch.Tensor) -> torch.Tensor:
    """Squared relative Frobenius error (B,) after the best complex scale of the estimate."""
    t, e = true.flatten(1), estimate.flatten(1)
    overlap = (t.conj() * e).sum(1).abs().square()
    return 1 - overlap / (t.abs().square().sum(1) * e.abs().square().sum(1))
