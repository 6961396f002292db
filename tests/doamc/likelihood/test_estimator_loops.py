"""The compiled loops of estimators in closed form are what NumPy and tensors compute."""

import math

import numpy as np
import pytest
import torch

from doamc.errors import KernelError
from doamc.estimators.misfit import likeliest, whitened
from doamc.estimators.music import Music
from doamc.estimators.no_source import no_source
from doamc.estimators.powers import pseudo_inverse
from doamc.estimators.quadratic import QuadraticSpectrum
from doamc.estimators.reported_fit import reported_misfit
from doamc.likelihood.backend import loops_for
from doamc.likelihood.estimator_loops import minima, music, powers, reported, residual
from doamc.snapshots import make_batch
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
    found, expected = minima(LOOPS, spectrum.grid_of_loops, m, count), spectrum.by_numpy(m, count)
    assert found[1:] == pytest.approx(expected[1:], abs=1e-12)
    assert np.isfinite(found[0]).all()


@pytest.mark.parametrize("name", ["ula8", "uca5", "seed16", "kraken5"])
@pytest.mark.parametrize(("count", "length", "known"), [(1, 200, False), (2, 30, True), (4, 4, False), (4, 5, False)])
def test_music_is_what_numpy_computes(name, count, length, known, monkeypatch):
    spec, size = load_spec(name), 30
    generator = torch.Generator().manual_seed(length)
    y = torch.randn(size, spec.n_elements, length, dtype=torch.complex128, generator=generator)
    y[: size // 2] *= torch.linspace(1, 3, spec.n_elements)[:, None]  # so that eigenvalues differ
    batch = make_batch(y, noise_power=0.3 if known else None)
    found = Music(spec).estimate(batch, count)
    monkeypatch.setattr("doamc.estimators.music.loops_for", lambda device: None)
    expected = Music(spec).estimate(batch, count)
    # directions a millionth of a radian apart: large powers cancel, whose last digits are those of the rounding
    cancel = expected.power.amax(1) > 1e3
    assert cancel.sum() <= size // 5
    for field in ("azimuth", "std", "power", "noise_power", "coupling", "n_sources"):
        one, other = getattr(found, field), getattr(expected, field)
        assert torch.allclose(one[~cancel], other[~cancel], rtol=1e-9, atol=1e-12, equal_nan=True), field
        assert torch.allclose(one[cancel], other[cancel], rtol=1e-7, atol=1e-12, equal_nan=True), field
    assert found.std.isnan().all() == (length == 4 and not known)  # the data hold no noise


@pytest.mark.parametrize("name", ["ula8", "kraken5"])
@pytest.mark.parametrize("fits_powers", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
def test_what_is_reported_fits_as_tensors_find(name, fits_powers, coupled, monkeypatch):
    spec, size, p = load_spec(name), 12, 2
    n = spec.n_elements
    y = torch.from_numpy(normal(size, n, 50))
    e = no_source(make_batch(y))
    azimuth = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (size, p))).sort(1).values
    azimuth[3, 1] = math.nan  # one source less
    coupling = torch.eye(n, dtype=torch.complex128).repeat(size, 1, 1)
    if coupled:
        coupling[5:] += 0.1 * torch.from_numpy(normal(size - 5, n, n, seed=3))
    power = torch.from_numpy(np.random.default_rng(2).uniform(0, 2, (size, p)))
    power[4, 0] = -1.0
    e = e.having(azimuth=azimuth, power=power, coupling=coupling)
    batch = make_batch(y)
    found = reported_misfit(spec, batch, e, fits_powers)
    monkeypatch.setattr("doamc.estimators.reported_fit.loops_for", lambda device: None)
    monkeypatch.setattr("doamc.estimators.misfit.loops_for", lambda device: None)
    expected = reported_misfit(spec, batch, e, fits_powers)
    for one, other in zip(vars(found).values(), vars(expected).values(), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)
    assert e.coupled == coupled


def test_arrays_that_do_not_fit_are_refused():
    v, covariance = received(6, 2)
    spectrum = QuadraticSpectrum(load_spec("ula8")).grid_of_loops
    for call in (
        lambda: residual(LOOPS, covariance[:3], v, np.ones(20)),
        lambda: residual(LOOPS, covariance, v.real, np.ones(20)),
        lambda: powers(LOOPS, covariance, v, np.ones(19)),
        lambda: minima(LOOPS, spectrum, covariance, 1),
        lambda: music(LOOPS, spectrum, v[:, 0].real, covariance, covariance, 1, 5, None),
        lambda: reported(LOOPS, covariance, spectrum.wave, v[:, 0].real, covariance, None, np.ones(20)),
    ):
        with pytest.raises(KernelError, match=r"expected .* found"):
            call()
    with pytest.raises(KernelError, match="expected sizes"):
        minima(LOOPS, spectrum, np.zeros((1, 8, 8), np.complex128), 0)
