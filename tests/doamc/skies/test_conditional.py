"""A Gaussian sky has its posterior in closed form: the solver gives it, and the chain samples it."""

import numpy as np
import pytest
import torch

from doamc.diffusion.samplers import ItemNoise
from doamc.imaging.sampling import FourierSampling, hartley
from doamc.skies.chain import Chain, Mean, Moments, falling
from doamc.skies.colour import error_colour
from doamc.skies.conditional import Conditional
from tests.doamc.imaging.skies import hermitian_mask

N, NOISE = 8, 0.02


@pytest.fixture(scope="module")
def operator() -> FourierSampling:
    rng = np.random.default_rng(0)
    gain = 0.5 + rng.random((N, N))
    return FourierSampling(hermitian_mask((N, N), rng), gain + np.roll(gain[::-1, ::-1], (1, 1), (0, 1)), torch.float64)


def matrix(of) -> torch.Tensor:
    """The matrix (R, N) of a linear map of rows."""
    return of(torch.eye(N * N, dtype=torch.float64)).mT


def covariance(colour: torch.Tensor) -> torch.Tensor:
    """K (N^2, N^2) of its half spectrum."""

    def through(x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft2(colour * torch.fft.rfft2(x.unflatten(-1, (N, N))), s=(N, N)).flatten(-2)

    return matrix(through)


def test_the_colour_is_a_covariance_of_unit_diagonal():
    k = covariance(error_colour((N, N)))
    assert torch.allclose(k, k.mT, atol=1e-6) and float(torch.linalg.eigvalsh(k).min()) > 0
    assert torch.allclose(k.diagonal(), torch.ones(N * N, dtype=torch.float64), atol=1e-5)
    assert float(k[0, 1]) > 0.5 and float(k[0, 1]) > float(k[0, N * N // 2])
    white = covariance(error_colour((N, N), fall=0.0))
    assert torch.allclose(white, torch.eye(N * N, dtype=torch.float64), atol=1e-6)


def test_mean_and_draw_are_those_of_the_gaussian(operator):
    """Against dense algebra: the mean to rounding, the variances of 1500 draws within 20 % (five deviations)."""
    g = torch.Generator().manual_seed(1)
    prior, variance = torch.randn(1, N * N, generator=g).double(), torch.rand(1, N * N, generator=g).double() * 0.1
    y = torch.randn(1, operator.rank, generator=g).double()
    colour = error_colour((N, N))
    root, h = variance[0].sqrt(), matrix(operator.apply)
    c = root[:, None] * covariance(colour) * root
    gain = c @ h.mT @ torch.linalg.inv(h @ c @ h.mT + NOISE * torch.eye(len(h), dtype=torch.float64))
    expected, left = prior[0] + gain @ (y[0] - h @ prior[0]), c - gain @ h @ c
    count = 1500
    solver = Conditional(operator, y.expand(count, -1), torch.full((count, 1), NOISE).double(), colour, 30)
    noise = tuple(torch.randn(count, N * N, generator=g).double() for _ in range(2))
    mean, draw = solver.both(prior.expand(count, -1), variance.expand(count, -1), noise)
    assert torch.allclose(mean, solver.mean(prior.expand(count, -1), variance.expand(count, -1)), atol=1e-9)
    assert torch.allclose(draw, solver.draw(prior.expand(count, -1), variance.expand(count, -1), noise), atol=1e-9)
    assert torch.allclose(mean[0], expected, atol=1e-6)
    found = (draw - expected).square().mean(0)
    assert torch.allclose(found, left.diagonal(), rtol=0.2)
    assert float((draw.mean(0) - expected).abs().max()) < 5 * float((left.diagonal() / count).max().sqrt())


class Stationary:
    """x_0 ~ N(0, R), R of a spectrum: its errors have one variance and, at one level, the colour of a filter."""

    def __init__(self, spectrum: torch.Tensor) -> None:
        self.spectrum = spectrum  # of the Hartley coordinates, (N, N)

    def left(self, level: float) -> torch.Tensor:
        """Spectrum of the errors."""
        return self.spectrum * level**2 / (self.spectrum + level**2)

    def posterior(self, x_t: torch.Tensor, alpha: float, sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        level = float(sigma[0])
        gain = self.spectrum / (self.spectrum + level**2)
        mean = hartley(gain * hartley(x_t.unflatten(1, (N, N)))).flatten(1)
        return mean, self.left(level).mean().expand_as(mean)


def test_the_chain_samples_the_posterior_of_a_gaussian_sky(operator):
    """Closed form per Hartley coordinate: S / (S s^2 + v) of y and v S / (S s^2 + v), or the prior S where unseen.

    64 chains of 60 times two steps; means within 0.15 deviations on average, variances within 5 % on average.
    """
    k = torch.fft.fftfreq(N, 1 / N).double()
    spectrum = 0.5 / (1 + (k[:, None] ** 2 + k**2) / 4)
    prior, level, count = Stationary(spectrum), 0.4, 64
    g = torch.Generator().manual_seed(2)
    truth = hartley(spectrum.sqrt() * torch.randn(N, N, generator=g).double()).flatten()
    y = operator.apply(truth) + NOISE**0.5 * torch.randn(operator.rank, generator=g).double()
    colour = (prior.left(level) / prior.left(level).mean())[:, : N // 2 + 1]
    solver = Conditional(operator, y.expand(count, -1), torch.full((count, 1), NOISE).double(), colour, 30)
    black = torch.zeros(count, N * N, dtype=torch.float64)
    chain = Chain(prior, solver, ItemNoise(range(count), (N * N,), torch.float64), black)
    levels, draws, moments, every = torch.full((count, 1), level), [], Moments((N, N)), Mean()
    chain.run([levels] * 30)
    for _ in range(60):
        chain.run([levels] * 2, moments, every=every)
        draws.append(operator.spectral(chain.draw))
    draws = torch.stack(draws)
    s2, flat = operator.s**2, spectrum.flatten()[operator.cells]
    gain = flat * operator.s / (flat * s2 + NOISE)
    variance = NOISE * flat / (flat * s2 + NOISE)
    assert float(((draws.mean((0, 1)) - gain * y).abs() / variance.sqrt()).mean()) < 0.15
    assert float((draws.var((0, 1)) / variance).mean()) == pytest.approx(1, abs=0.05)
    # the mean of all steps is the mean of the posterior as well, and knows as little where y tells nothing
    assert every.count == 2 * moments.count == 120
    error = hartley(every.value.mean(0).unflatten(0, (N, N))).flatten()
    error[operator.cells] -= gain * y
    assert float((error[operator.cells].abs() / variance.sqrt()).mean()) < 0.15
    unseen = torch.ones(N * N, dtype=torch.bool).index_fill_(0, operator.cells, False)
    assert float((error[unseen].abs() / spectrum.flatten()[unseen].sqrt()).mean()) < 0.15
    # all pixels: seen coordinates with their variance, unseen ones with that of the prior
    every = flat.new_tensor(float(spectrum.sum() - flat.sum() + variance.sum()) / N**2)
    assert float(moments.variance.mean()) == pytest.approx(float(every), rel=0.1)


def test_levels_fall_evenly_in_the_logarithm():
    levels = falling(torch.tensor([[8.0]]), torch.tensor([[1.0]]), 4)
    assert [float(v) for v in levels] == pytest.approx([8, 4, 2, 1])
    assert [float(v) for v in falling(torch.tensor(2.0), torch.tensor(1.0), 1)] == [2.0]
