import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from doamc.arrays import steering
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.spec import load_spec


def hermitian(n, count, seed):
    z = torch.randn(count, n, n, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))
    return z + z.mH


@pytest.mark.parametrize("name", ["ula8", "uca5", "seed16"])
def test_values_are_the_quadratic_form(name):
    spectrum = QuadraticSpectrum(load_spec(name), 1.0)
    m = hermitian(spectrum.spec.n_elements, 3, 1)
    a = steering(spectrum.spec.positions, spectrum.grid)
    direct = torch.einsum("ng,bnm,mg->bg", a.conj(), m, a).real
    assert torch.allclose(spectrum.values(m), direct, atol=1e-10)


@pytest.mark.parametrize("name", ["ula8", "uca5"])
def test_slope_and_curvature_agree_with_finite_differences(name):
    spec, h = load_spec(name), 1e-4
    spectrum = QuadraticSpectrum(spec)
    m = hermitian(spec.n_elements, 4, 4)
    azimuth = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64).repeat(4, 1)

    def f(az):
        a = steering(spec.positions, az)
        return (a.conj() * (m @ a)).sum(1).real

    slope, bend = (torch.from_numpy(v) for v in spectrum._derivatives(m.numpy(), azimuth.numpy()))
    up, here, down = f(azimuth + h), f(azimuth), f(azimuth - h)
    # each derivative is up to 2 pi 3.5 times the one before, so central differences are good to (22 h)^2 = 5e-6
    scale = float(bend.abs().max())
    assert (slope - (up - down) / (2 * h)).abs().max() < 1e-6 * scale
    assert (bend - (up - 2 * here + down) / h**2).abs().max() < 1e-5 * scale


@pytest.mark.parametrize("name", ["ula8", "uca5"])
def test_minimum_is_that_of_scipy(name):
    """Global minimum inside a bracket of three grid points, by Brent's method on the written form."""
    spec = load_spec(name)
    spectrum = QuadraticSpectrum(spec, 0.25)
    matrices = hermitian(spec.n_elements, 10, 2)
    found = spectrum.minima(matrices, 1)[:, 0].numpy()
    positions = spec.positions.numpy()
    low, high = spec.sector_rad
    for m, azimuth in zip(matrices.numpy(), found, strict=True):

        def f(az, m=m):
            a = np.exp(2j * np.pi * (positions[:, 0] * np.cos(az) + positions[:, 1] * np.sin(az)))
            return np.vdot(a, m @ a).real

        grid = np.linspace(low, high, 2000)
        best = grid[np.argmin([f(az) for az in grid])]
        step = grid[1] - grid[0]
        bounds = (best - step, best + step) if spec.full_circle else (max(low, best - step), min(high, best + step))
        exact = minimize_scalar(f, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
        assert abs(math.remainder(azimuth - exact, 2 * math.pi)) < 1e-6


def test_the_grid_leaves_no_trace():
    """Two grids that share no point but the ends find the same minima."""
    spec = load_spec("ula8")
    matrices = hermitian(8, 50, 3)
    coarse, fine = (QuadraticSpectrum(spec, step).minima(matrices, 1) for step in (0.25, 0.17))
    assert (coarse - fine).abs().max() < 1e-9
