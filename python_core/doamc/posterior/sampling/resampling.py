"""Choosing among weighted points: systematic resampling."""

import torch


def gather(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Columns (B, d, G) of x (B, d, S) by index (B, G)."""
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))


def even_comb(count: int, device: torch.device) -> torch.Tensor:
    """The middles (C,) of C equal parts of (0, 1)."""
    return (torch.arange(count, dtype=torch.float64, device=device) + 0.5) / count


def systematic(weight: torch.Tensor, comb: torch.Tensor) -> torch.Tensor:
    """Systematic resampling: indices (B, C) of weights (B, S) that sum to 1, for a comb (C,) in (0, 1)."""
    return torch.searchsorted(weight.cumsum(1).contiguous(), comb.expand(len(weight), -1).contiguous()).clamp_max(
        weight.shape[1] - 1
    )
