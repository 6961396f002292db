"""The statistic of a misfit: exact moments under the model, whatever L, and what correlation in time does to them."""

import math

import numpy as np
import pytest
import torch

from doamc.estimators.misfit import misfit_of_fit, misfit_of_samples
from doamc.scenes.wishart import draw_covariance
from doamc.snapshots.effective_snapshots import Lengths


def lengths(count, signal, noise=None):
    full = torch.full((count,), float(noise or signal))
    return Lengths(torch.full((count,), float(signal)), full, full)


def model(n=5, p=2):
    v = torch.view_as_complex(torch.from_numpy(np.random.default_rng(0).standard_normal((n, p, 2))))
    return v, 0.3


def covariances(count, snapshots, seed=1):
    v, s2 = model()
    r = v @ v.mH + s2 * torch.eye(5)
    return draw_covariance(r.expand(count, 5, 5), torch.full((count,), float(snapshots)), np.random.default_rng(seed))


def of_true_model(count, snapshots):
    """Misfit of independent batches to the model that they were drawn from."""
    v, s2 = model()
    noise = torch.full((count,), s2)
    return misfit_of_fit(covariances(count, snapshots), v.expand(count, -1, -1), noise, lengths(count, snapshots), 0)


@pytest.mark.parametrize("snapshots", [1, 3, 5, 20, 1000])
def test_mean_and_deviation_are_exact_for_the_true_model(snapshots):
    count = 4000
    found = of_true_model(count, snapshots).misfit
    assert float(found.mean()) == pytest.approx(0, abs=4 / math.sqrt(count))
    assert float(found.std()) == pytest.approx(1, rel=0.1)  # the fourth moment of few snapshots is large


@pytest.mark.parametrize("snapshots", [20, 1000])
def test_the_probability_is_one(snapshots):
    p = of_true_model(4000, snapshots).probability
    for level in (0.5, 0.1, 0.01):  # three standard errors, and the Gamma distribution's own error
        assert float((p < level).double().mean()) == pytest.approx(level, abs=0.4 * level)


def test_signals_worth_fewer_snapshots_than_noise():
    """The block between signals varies as that of few snapshots; the others do not."""
    count, n = 3000, 5
    generator = torch.Generator().manual_seed(0)
    v, s2 = model()

    def normal(*shape):
        return torch.view_as_complex(torch.randn(*shape, 2, dtype=torch.float64, generator=generator)) / math.sqrt(2)

    held = normal(count, 2, 20).repeat_interleave(10, 2)  # every value of a signal lasts ten snapshots
    y = v @ held + math.sqrt(s2) * normal(count, n, 200)
    found = misfit_of_fit(
        y @ y.mH / 200, v.expand(count, -1, -1), torch.full((count,), s2), lengths(count, 20, 200), 0
    ).misfit
    assert float(found.mean()) == pytest.approx(0, abs=0.1)
    assert float(found.std()) == pytest.approx(1, abs=0.15)


def test_samples_of_the_right_width_neither_add_nor_hide():
    """Samples of the posterior of the noise power, nothing else being unknown: inverse Gamma of N L."""
    count, snapshots, n = 2000, 50, 5
    w = draw_covariance(
        torch.eye(n, dtype=torch.complex128).expand(count, n, n),
        torch.full((count,), float(snapshots)),
        np.random.default_rng(2),
    )
    level = w.diagonal(dim1=1, dim2=2).real.mean(1)
    shape = n * snapshots
    spread = shape / torch.from_numpy(np.random.default_rng(3).standard_gamma(shape, (count, 30)))
    nothing = torch.zeros(count, 30, n, 0, dtype=torch.complex128)
    worth = lengths(count, snapshots)
    found = misfit_of_samples(w, nothing, level[:, None] * spread, worth, worth.noise).misfit
    assert float(found.mean()) == pytest.approx(0, abs=0.1)
    assert float(found.std()) == pytest.approx(1, abs=0.1)


def test_a_model_without_a_covariance_does_not_fit():
    v, _ = model()
    found = misfit_of_fit(covariances(1, 50), 1e20 * v[None], torch.tensor([1e-300]), lengths(1, 50), 0)
    assert bool(torch.isfinite(found.misfit).all()) and float(found.probability) < 1e-3
