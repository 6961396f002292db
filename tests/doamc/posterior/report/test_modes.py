"""Modes of samples."""

import math

import torch

from doamc.posterior.report.modes import main_mode


def test_main_mode_leaves_out_a_separate_lighter_one():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 2, 1000, generator=generator, dtype=torch.float64) * math.radians(0.5)
    z[0, :, 700:] += math.radians(30.0)
    member = main_mode(z, math.radians(4.0))
    assert member[0, :700].all() and not member[0, 700:].any()
    assert member[1].double().mean() > 0.99
