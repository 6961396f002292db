"""Parts of the benchmarks of skies that have closed forms: the published grid, and the priors that are not learned."""

import importlib
from types import ModuleType

import numpy as np
import pytest
import torch

from doamc.imaging.visibilities import make_visibilities
from doamc.skies.net import SCALE
from doamc.skies.problem import Run
from doamc.skies.restoration import restore
from tests.test_repository import ROOT


@pytest.fixture
def program(monkeypatch):
    """A benchmark by its name, as it finds its neighbours when it is started."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


@pytest.mark.parametrize("steps", [10, 1000])
def test_the_published_grid_is_that_of_linear_beta_for_skies_from_0_to_1(program, steps):
    """Ends at beta_0 = 1e-4, where an image from -1 to 1 has noise of 0.01; begins 1000 / K levels below the top."""
    grid = program("sky_samplers").linear_beta(steps)
    level = np.array(grid.sigma) / np.array(grid.alpha)
    assert len(level) == steps and (np.diff(level) < 0).all()
    assert level[-1] == pytest.approx(0.01 / 2, rel=1e-4)
    kept = np.exp(np.log1p(-np.linspace(1e-4, 0.02, 1000))[: 1001 - 1000 // steps].sum())
    assert level[0] == pytest.approx(np.sqrt(1 / kept - 1) / 2, rel=1e-9)


def test_sparse_pixels_have_mean_and_variance_of_their_mixture(program):
    """Against sums over x_0 on a fine grid: both to 1 %, levels above the narrowest part of the mixture."""
    priors = program("sky_prior")
    prior = priors.Sparse.__new__(priors.Sparse)
    z = torch.tensor([[0.0, 0.02, -0.1, 0.5]])
    x = torch.linspace(-2, 2, 160001, dtype=torch.float64)
    law = sum(w / s * torch.exp(-0.5 * (x / s) ** 2) for w, s in zip(priors.SHARES, priors.DEVIATIONS, strict=True))
    for level in (0.01, 0.1):
        mean, variance = prior.posterior(2 * z, 2.0, torch.tensor([[2 * level]]))
        weight = law * torch.exp(-0.5 * ((z.double().mT - x) / level) ** 2)
        weight = weight / weight.sum(1, keepdim=True)
        wanted = (weight * x).sum(1)
        assert torch.allclose(mean[0].double(), wanted, rtol=0.01, atol=1e-5)
        assert torch.allclose(variance[0].double(), (weight * x**2).sum(1) - wanted**2, rtol=0.01, atol=1e-8)


def test_white_skies_are_a_wiener_filter(program):
    priors = program("sky_prior")
    z, level = torch.randn(2, 256), 0.05
    mean, variance = priors.White.open((16, 16)).posterior(z, 1.0, torch.full((2, 1), level))
    gain = SCALE**2 / (SCALE**2 + level**2)
    assert torch.allclose(mean, gain * z, atol=1e-6)
    assert torch.allclose(variance, torch.full_like(z, gain * level**2), rtol=1e-4)


def test_what_a_chain_holds_on_the_way_is_what_a_shorter_run_holds(program):
    """After 10 of 20 steps: pixel by pixel what an image of 10 steps and its deviations hold, of each of two skies."""
    intervals = program("sky_intervals")
    _, skies = intervals.draw(32, 1, 3)
    mask = intervals.coverages(32)["vla"]
    found = intervals.observed(skies, mask, 0.01, 4, (10, 20), intervals.SkyDenoiser.open((32, 32)))
    assert sorted(found) == [10, 20]
    noise = 0.01 * np.random.default_rng(4).standard_normal(skies.shape)
    seen = make_visibilities(np.where(mask, np.fft.fft2(skies + noise, norm="ortho"), 0), mask, 0.01)
    sky = restore(seen, Run(10, seed=4))
    inside, above = (np.stack(part) for part in zip(*found[10], strict=True))
    assert (above == (skies > 0.01)).all()
    assert (inside == (np.abs(sky.image - skies) < 1.645 * sky.std)).mean() > 0.999
    wanted = {"hold_90": inside.mean(), "hold_90_above_noise": (inside & above).sum() / above.sum()}
    assert intervals.shares(found[10]) == pytest.approx(wanted, abs=6e-4)
