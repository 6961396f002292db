"""The operator without a matrix: what a dense one says, what DDRM and guidances make of it, exact on a Gaussian sky."""

import numpy as np
import pytest
import torch

from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.grid import log_snr_span, make_grid
from doamc.diffusion.guidance import Ddrm, guide
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import ItemNoise, make_sampler, sample
from doamc.diffusion.schedules import make_schedule
from doamc.errors import ImagingError
from doamc.imaging.sampling import FourierSampling, hartley
from doamc.imaging.visibilities import make_visibilities
from tests.doamc.imaging.skies import hermitian_mask, observe

SIDES = [(6, 6), (7, 7), (8, 5)]


@pytest.mark.parametrize("shape", SIDES)
def test_hartley_is_orthonormal_and_its_own_inverse(shape):
    x = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(hartley(hartley(x)), x, atol=1e-12)
    assert torch.allclose(hartley(x).square().sum(), x.square().sum(), rtol=1e-12)


@pytest.mark.parametrize("shape", SIDES)
def test_it_is_the_operator_of_its_dense_matrix(shape):
    """Singular values are the gains, coordinates of V^T x those of the matrix, products adjoint of each other."""
    rng = np.random.default_rng(2)
    mask = hermitian_mask(shape, rng)
    gain = rng.uniform(0.5, 2, shape)
    gain = 0.5 * (gain + np.roll(gain[::-1, ::-1], (1, 1), (0, 1)))
    operator = FourierSampling(mask, gain, torch.float64)
    dense = LinearOperator.from_matrix(operator.apply(torch.eye(operator.columns, dtype=torch.float64)).mT)
    assert operator.rank == dense.rank == mask.sum() and operator.rows == dense.rows
    assert torch.allclose(operator.s, dense.s, atol=1e-10)
    x, z = torch.randn(2, operator.columns, dtype=torch.float64), torch.randn(2, operator.rank, dtype=torch.float64)
    assert torch.allclose(dense.apply(x), operator.apply(x), atol=1e-10)
    assert torch.allclose((operator.from_spectral(z) * x).sum(), (z * operator.spectral(x)).sum(), atol=1e-10)
    assert torch.allclose(operator.spectral(operator.from_spectral(z)), z, atol=1e-10)


def test_noise_of_visibilities_is_white_in_the_coordinates():
    """Real white noise of deviation sigma: as much a coordinate, uncorrelated; 400 draws of 36 to five deviations."""
    mask = np.ones((6, 6), bool)
    values = observe(np.zeros((400, 6, 6)), mask, 0.5, np.random.default_rng(3))
    _, y, power = FourierSampling.of(make_visibilities(values, mask, 0.5), torch.float64)
    covariance = y.mT @ y / 400
    assert power == 0.25
    assert (covariance - 0.25 * torch.eye(36)).abs().max() < 5 * 0.25 * (2 / 400) ** 0.5


def test_noise_by_cell_is_whitened():
    rng = np.random.default_rng(4)
    mask, sigma = np.ones((4, 4), bool), np.full((4, 4), 0.1)
    sigma[0, 0] = 0.4
    operator, y, power = FourierSampling.of(
        make_visibilities(observe(np.ones((1, 4, 4)), mask, 1e-9, rng), mask, sigma)
    )
    assert float(operator.s[-1]) == 0.25 and int(operator.cells[-1]) == 0 and power == pytest.approx(0.01)
    assert float(y[0, -1]) == pytest.approx(0.25 * 4.0)  # V(0) = sum / n


def gaussian_sky(n):
    """A prior of smooth skies: covariance of a Gaussian of 1.2 pixels around the edges, over white of 1e-2."""
    d = np.minimum(np.arange(n), n - np.arange(n))
    shape = np.exp(-(d[:, None] ** 2 + d**2) / (2 * 1.2**2)) + 1e-2 * np.eye(n)[:1].T * np.eye(n)[:1]
    rows = [np.roll(shape, (i, j), (0, 1)).ravel() for i in range(n) for j in range(n)]
    return torch.tensor(np.array(rows), dtype=torch.float64)


def test_guided_samples_have_the_exact_posterior_of_a_gaussian_sky():
    """`moments` is exact for Gaussians: mean within five deviations of 300 samples, spread within 15 %"""
    n, sigma = 6, 0.2
    rng = np.random.default_rng(5)
    covariance = gaussian_sky(n)
    mask = hermitian_mask((n, n), rng)
    sky = (np.linalg.cholesky(covariance.numpy()) @ rng.standard_normal(n * n)).reshape(1, n, n)
    operator, y, power = FourierSampling.of(
        make_visibilities(observe(sky, mask, sigma, rng), mask, sigma), torch.float64
    )
    h = operator.apply(torch.eye(n * n, dtype=torch.float64)).mT
    inner = torch.linalg.solve(h @ covariance @ h.mT + power * torch.eye(len(h), dtype=torch.float64), h @ covariance)
    mean, spread = y @ inner, (covariance - covariance @ h.mT @ inner).diagonal().sqrt()
    prior = GaussianDenoiser(torch.zeros(n * n, dtype=torch.float64), covariance)
    grid = make_grid("log-snr", make_schedule("vp"), 40, low=-9.0, high=12.0)
    noise = ItemNoise(range(300), (n * n,), torch.float64)
    found = sample(guide("moments", prior, operator, y, power), make_sampler("adams"), grid, noise)
    assert ((found.mean(0) - mean[0]).abs() < 5 * spread / 300**0.5).all()
    assert (found.std(0) / spread - 1).abs().max() < 0.15


def test_ddrm_and_projection_take_it_and_agree_with_the_dense_matrix():
    n = 4
    rng = np.random.default_rng(6)
    mask = hermitian_mask((n, n), rng)
    operator, y, power = FourierSampling.of(
        make_visibilities(observe(rng.random((2, n, n)), mask, 0.1, rng), mask, 0.1), torch.float64
    )
    dense = LinearOperator.from_matrix(operator.apply(torch.eye(n * n, dtype=torch.float64)).mT)
    prior = GaussianDenoiser(torch.zeros(n * n, dtype=torch.float64), gaussian_sky(n))
    low, high = log_snr_span(1.0, power)
    grid = make_grid("log-snr", make_schedule("vp"), 12, low=low, high=high)

    def chains(h, y):
        noise = [ItemNoise([1, 2], (n * n,), torch.float64) for _ in range(2)]
        guided = guide("projection", prior, h, y, power)
        return sample(prior, Ddrm(h, y, power), grid, noise[0]), sample(guided, make_sampler("ddim"), grid, noise[1])

    for ours, theirs in zip(chains(operator, y), chains(dense, y), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize(
    ("mask", "gain"),
    [
        (np.zeros((4, 4), bool), None),
        (np.eye(4, dtype=bool)[::-1] & (np.arange(4) < 2), None),
        (np.ones((4, 4), bool), np.arange(16.0).reshape(4, 4)),
        (np.ones((4, 4), bool), np.ones(3)),
    ],
)
def test_what_is_no_mask_or_gain_is_said(mask, gain):
    with pytest.raises(ImagingError, match=r"Hermitian mask|gain"):
        FourierSampling(mask, gain)
