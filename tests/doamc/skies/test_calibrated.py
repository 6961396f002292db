"""Factors of deviations: which, where, and how they go over into each other."""

import pytest
import torch

from doamc.skies.calibrated import BRIGHT, FAINT, calibrated


def factors(image: list[float], sweeps: int, noise: float = 0.01, bottom: float = 0.01) -> list[float]:
    one = torch.ones(1, 1)
    return calibrated(torch.ones(1, len(image)), torch.tensor([image]), noise * one, bottom * one, sweeps)[0].tolist()


def test_faint_and_bright_pixels_have_their_own_and_between_them_there_is_no_step():
    found = factors([-0.1, 0.0, 0.004, 0.01, 0.03, 1.0], 10**6)
    assert found[:3] == pytest.approx([FAINT] * 3, rel=1e-4) and found[4:] == pytest.approx([BRIGHT] * 2, rel=1e-4)
    assert found[3] == pytest.approx((FAINT * BRIGHT) ** 0.5, rel=1e-4)


def test_few_sweeps_know_less_than_they_tell_and_low_noise_more():
    assert factors([1.0], 0)[0] > 1.2 > factors([1.0], 3)[0] > factors([1.0], 30)[0]
    assert factors([1.0], 30, bottom=0.04)[0] == pytest.approx(factors([1.0], 30)[0] / 2)
