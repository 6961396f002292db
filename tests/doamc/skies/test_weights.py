"""What the shipped weights reach on skies that training never saw."""

import math

import pytest
import torch

from doamc.learning.checkpoint import load_checkpoint, shipped_weights
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.generator import draw_skies


@pytest.fixture(scope="module")
def denoiser() -> SkyDenoiser:
    return SkyDenoiser.open((64, 64), shipped_weights("sky"))


@pytest.mark.parametrize(("level", "gain_db"), [(0.001, 9), (0.01, 13), (0.1, 19), (1.0, 25)])
def test_most_of_the_noise_goes(denoiser, level, gain_db):
    """And the variance that is told is that of the errors, within a factor of two. 8 skies."""
    generator = torch.Generator().manual_seed(2026)
    x = draw_skies(8, 64, generator, broad=0.0).flatten(1)
    mean, variance = denoiser.posterior(x + level * torch.randn(x.shape, generator=generator), 1.0, level)
    error = float((mean - x).square().mean())
    assert 10 * math.log10(error / level**2) < -gain_db
    assert 0.5 < float(variance.mean()) / error < 2


def test_the_checkpoint_tells_how_it_was_trained():
    kept = load_checkpoint(shipped_weights("sky"), "sky")
    assert kept.spec is None and kept.record["steps"] > 15000 and kept.record["minutes"] <= 120
    assert shipped_weights("sky").stat().st_size < 8 * 2**20
