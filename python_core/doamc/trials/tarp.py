"""Tests of accuracy with random points (TARP): whether samples have the right volume jointly in all quantities.

A truth and exact samples of its posterior are exchangeable, so that the share of samples nearer to a point than the
truth is uniform, whatever the point is ([Lemos]); for points everywhere that tells a wrong posterior from a right one,
where each quantity by itself may look right.
"""

import torch

REACH = 2.0  #: deviations of the points around the samples' mean: among the samples, and beyond them


def tarp_shares(truth: torch.Tensor, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shares (B,) in (0, 1) of truths (B, d, 1) among samples (B, d, n), uniform for exact, independent samples.

    Distances are counted in the samples' deviations, quantity by quantity, and the points drawn around their mean: a
    narrow quantity counts as much as one that is hardly known. Truth and samples make both alike.
    """
    both = torch.cat([truth, x], 2)
    centred = both - both.mean(2, keepdim=True)
    scale = centred.square().mean(2, keepdim=True).sqrt().clamp_min(1e-300)
    point = REACH * torch.randn(*truth.shape, generator=generator, dtype=torch.float64)
    distance = (centred / scale - point).square().sum(1)
    below = (distance[:, 1:] < distance[:, :1]).sum(1).double()
    return (below + torch.rand(below.shape, generator=generator, dtype=torch.float64)) / (x.shape[2] + 1)
