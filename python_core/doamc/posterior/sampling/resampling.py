"""Choosing among weighted points: tempering, systematic resampling, modes counted once."""

import math

import numpy as np
import torch

from doamc.likelihood.backend import loops_for
from doamc.likelihood.coordinates import Coordinates


def gather(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Columns (B, d, G) of x (B, d, S) by index (B, G)."""
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))


def systematic(weight: torch.Tensor, comb: torch.Tensor) -> torch.Tensor:
    """Systematic resampling: indices (B, C) of weights (B, S) that sum to 1, for a comb (C,) in (0, 1)."""
    return torch.searchsorted(weight.cumsum(1).contiguous(), comb.expand(len(weight), -1).contiguous()).clamp_max(
        weight.shape[1] - 1
    )


def tempering(value: torch.Tensor, effective: float, most: float) -> torch.Tensor:
    """Inverse temperature (B,) at which weights exp(beta value) have that effective sample size, at most `most`."""
    loops = loops_for(value.device)
    if loops is None:
        return tempering_by_tensors(value, effective, most)
    out = np.empty(len(value))
    loops.tempering(value.contiguous().numpy(), effective, most, out)
    return torch.from_numpy(out)


def tempering_by_tensors(value: torch.Tensor, effective: float, most: float) -> torch.Tensor:
    """`tempering` by tensor operations: the reference of the compiled loop, and what runs on other devices."""
    shifted = (value - value.max(1, keepdim=True)[0]).clamp_min(-1e12)
    low, high = torch.full_like(value[:, 0], -30.0), torch.full_like(value[:, 0], math.log(most))
    enough = lambda b: torch.softmax(b.exp()[:, None] * shifted, 1).square().sum(1) < 1 / effective  # noqa: E731
    done = enough(high)
    for _ in range(18):
        middle = 0.5 * (low + high)
        ok = enough(middle)
        low, high = torch.where(ok, middle, low), torch.where(ok, high, middle)
    return torch.where(done, most, low.exp())


def same(peak: torch.Tensor, root: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Which climbers ended in one place: (B, G, G) of 0 and 1, by Mahalanobis distance below 1.5 sqrt(d) / 3."""
    apart = (peak[:, :, :, None] - peak[:, :, None]).permute(0, 2, 1, 3)  # (B, G, d, G)
    period = torch.where(coordinates.wraps, coordinates.high - coordinates.low, math.inf)[:, None]
    turn = (apart / period).round() * torch.where(coordinates.wraps[:, None], period, 0.0)
    distance = torch.linalg.solve_triangular(root, apart - turn, upper=False).square().sum(2)
    return (distance < 0.25 * coordinates.size).double()
