"""The compiled loops of estimators in closed form are what NumPy and tensors compute."""

import math

import numpy as np
import pytest
import torch

from doamc.errors import KernelError
from doamc.estimators.misfit import likeliest, whitened
from doamc.estimators.powers import pseudo_inverse
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import look, minima, powers, residual
from doamc.spec import load_spec

LOOPS = loops_for(torch.device("cpu"))
pytestmark = pytest.mark.skipif(LOOPS is None, reason="no compiled loops here")
SIZES = [(8, 2), (5, 3), (16, 4), (8, 1)]


def normal(*shape, seed=0):
    r = np.random.default_rng(seed)
    return r.standard_normal(shape) + 1j * r.standard_normal(shape)


def received(n, p, size=20):
    v = normal(size, n, p)
    y = v @ normal(size, p, 40, seed=1) + 0.3 * normal(size, n, 40, seed=2)
    return v, y @ y.conj().swapaxes(1, 2) / 40


def by_tensors(covariance, response, noise):
    e, _ = whitened(torch.from_numpy(covariance), response[:, None], noise[:, None])
    return torch.view_as_real(e).square().sum((1, 2, 3, 4)).numpy()


@pytest.mark.parametrize(("n", "p"), SIZES)
@pytest.mark.parametrize("known", [False, True])
def test_residuals_are_those_of_tensors(n, p, known):
    v, covariance = received(n, p)
    noise = np.full(len(v), 0.2 if known else math.nan)
    part, power = likeliest(*(torch.from_numpy(x) for x in (covariance, v, noise)))
    expected = by_tensors(covariance, part, power)
    assert residual(LOOPS, covariance, part.numpy(), power.numpy()) == pytest.approx(expected, rel=1e-12)
    assert residual(LOOPS, covariance, v, noise, free=True) == pytest.approx(expected, rel=1e-11)  # 2e-13 found


def test_noise_alone_has_no_signal_part():
    _, covariance = received(6, 2)
    v, noise = np.empty((20, 6, 0), np.complex128), np.full(20, 0.7)
    expected = by_tensors(covariance, torch.from_numpy(v), torch.from_numpy(noise))
    assert residual(LOOPS, covariance, v, noise) == pytest.approx(expected, rel=1e-12)
    assert residual(LOOPS, covariance, v, noise, free=True) == pytest.approx(expected, rel=1e-12)


def test_a_covariance_that_is_none_has_no_residual():
    _, covariance = received(6, 2)
    v = normal(20, 6, 2)
    assert np.isnan(residual(LOOPS, covariance, v, np.full(20, -1e9))).all()
    assert np.isnan(residual(LOOPS, covariance, np.nan * v, np.ones(20), free=True)).all()


@pytest.mark.parametrize(("n", "p"), SIZES)
@pytest.mark.parametrize("twice", [False, True])
def test_powers_are_those_of_the_pseudo_inverse(n, p, twice):
    v, covariance = received(n, p)
    if twice:
        v[:, :, -1] = v[:, :, 0]  # a direction named twice
    inverse = pseudo_inverse(v)
    signal = covariance - 0.2 * np.eye(n)
    expected = np.maximum((inverse @ signal @ inverse.conj().swapaxes(1, 2)).diagonal(axis1=1, axis2=2).real, 0.2e-3)
    assert powers(LOOPS, covariance, v, np.full(len(v), 0.2)) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("name", ["ula8", "uca5", "seed16", "kraken5"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_minima_are_those_of_numpy(name, count):
    spectrum = QuadraticSpectrum(load_spec(name), 0.5)
    m = normal(60, spectrum.spec.n_elements, spectrum.spec.n_elements)
    m = m + m.conj().swapaxes(1, 2)
    m[0] = np.eye(len(m[0]))  # flat: all points are as low as each other
    found, expected = (
        np.sort(x, 1) for x in (minima(LOOPS, spectrum.grid_of_loops, m, count), spectrum.by_numpy(m, count))
    )
    assert found[1:] == pytest.approx(expected[1:], abs=1e-12)
    assert np.isfinite(found[0]).all()


@pytest.mark.parametrize("length", [1, 2, 7, 16, 700])
def test_a_look_finds_moments_and_calm(length):
    y = normal(4, 5, length)
    y[1, 2, -1] += 40  # an impulse
    y[2, :, 0] = 0
    found = look(LOOPS, y, 2, 0.05)
    power = y.real**2 + y.imag**2
    assert found.power == pytest.approx(np.stack([power.sum(2), (power * power).sum(2), power.max(2)], 2), rel=1e-13)
    assert found.total == pytest.approx(y.sum(2), abs=1e-12 * length)
    assert found.lag == pytest.approx(y[:, :, 1:] @ y[:, :, :-1].conj().swapaxes(1, 2), abs=1e-12 * length)
    assert found.heard.tolist() == [length, length, length - 1, length]
    some = power[:, :, ::2]
    low = (some < 0.05 * power.max(2)[:, :, None]).sum(2)
    assert found.calm.tolist() == (low <= (some.shape[2] - 1) // 2).all(1).tolist()
    assert found.of(2).heard == length - 1


def test_arrays_that_do_not_fit_are_refused():
    v, covariance = received(6, 2)
    spectrum = QuadraticSpectrum(load_spec("ula8")).grid_of_loops
    for call in (
        lambda: residual(LOOPS, covariance[:3], v, np.ones(20)),
        lambda: residual(LOOPS, covariance, v.real, np.ones(20)),
        lambda: powers(LOOPS, covariance, v, np.ones(19)),
        lambda: minima(LOOPS, spectrum, covariance, 1),
        lambda: look(LOOPS, v.real, 1, 0.1),
    ):
        with pytest.raises(KernelError, match=r"expected .* found"):
            call()
    with pytest.raises(KernelError, match="expected sizes"):
        minima(LOOPS, spectrum, np.zeros((1, 8, 8), np.complex128), 0)
