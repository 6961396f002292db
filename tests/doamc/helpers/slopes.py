"""Gradients of criteria against differences of their values."""

import torch


def assert_slopes(criterion, x, index):
    """`criterion(x, index)` gives (value, gradient, ...): each slope is that of the values, to 1e-5 of the largest."""
    slope = criterion(x, index)[1]
    for d in range(x.shape[1]):
        step = torch.zeros(x.shape[1], dtype=x.dtype)
        step[d] = 1e-6
        found = (criterion(x + step, index)[0] - criterion(x - step, index)[0]) / 2e-6
        assert torch.allclose(found, slope[:, d], atol=1e-5 * float(slope.abs().max()))
