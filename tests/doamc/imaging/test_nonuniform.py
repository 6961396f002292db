"""Baselines off the grid: sums by hand, adjoints by dot products, ducc0 against sums, the grid as a case of it."""

import numpy as np
import pytest

from doamc.errors import ImagingError
from doamc.imaging.dirty import dirty_image
from doamc.imaging.gridding import gridded
from doamc.imaging.nonuniform import NonUniformFourier
from doamc.imaging.weights import baseline_weights
from tests.doamc.imaging.skies import points

RNG = np.random.default_rng(1)
UVW = RNG.uniform(-15, 15, (50, 3))


@pytest.mark.parametrize("w_term", [False, True])
def test_a_point_is_the_wave_of_its_direction(w_term):
    """A source of flux 2 at l = 3 pixels, m = -2 pixels from the middle of 16 x 16."""
    pixel = 0.02
    transform = NonUniformFourier(UVW, 16, pixel, w_term)
    east, m = 3 * pixel, -2 * pixel
    n = np.sqrt(1 - east**2 - m * m)
    u, v, w = UVW.T
    wave = 2 * np.exp(-2j * np.pi * (u * east + v * m + (w * (n - 1) if w_term else 0))) / (n if w_term else 1)
    assert np.allclose(transform.forward(points(16, (8 - 2, 8 + 3, 2.0))[0]), wave, atol=1e-12)


@pytest.mark.parametrize(("side", "w_term"), [(17, False), (32, False), (32, True), (40, True)])
def test_ducc0_makes_the_direct_sums(side, w_term):
    """And both pairs are adjoint: <A x, v> = <x, A^H v> for real x."""
    pytest.importorskip("ducc0")
    image, values = RNG.standard_normal((side, side)), RNG.standard_normal(50) + 1j * RNG.standard_normal(50)
    sums, fast = (NonUniformFourier(UVW, side, 0.012, w_term, direct) for direct in (True, False))
    assert np.allclose(fast.forward(image), sums.forward(image), atol=1e-7)
    assert np.allclose(fast.adjoint(values), sums.adjoint(values), atol=1e-7)
    for each in (sums, fast):
        forward, back = (each.forward(image) * values.conj()).sum().real, (image * each.adjoint(values)).sum()
        assert forward == pytest.approx(back, abs=1e-7)


def test_baselines_on_the_grid_are_the_grid():
    """Cells of the FFT, measured once or twice: noise falls by the root, the dirty image is that of the direct sums."""
    side, pixel = 16, 0.01
    k = np.array([[1, 0], [3, -4], [0, 5], [-7, 2], [3, -4]])
    uv = k / (side * pixel)
    sky = np.clip(RNG.standard_normal((side, side)), 0, None)
    transform = NonUniformFourier(uv, side, pixel)
    values = transform.forward(sky)
    found = gridded(values, uv, 0.3, side, pixel)
    assert found.mask.sum() == 8 and np.allclose(
        found.values[0][found.mask], np.fft.fft2(sky, norm="ortho")[found.mask]
    )
    once, twice = found.sigma[0, 1], found.sigma[-4, 3]
    assert once == pytest.approx(0.3 / side) and twice == pytest.approx(once / 2**0.5)
    each = np.array([1, 1, 1, 1, 0])  # the fifth is the second again
    assert np.allclose(dirty_image(found)[0], 2 * transform.adjoint(each * values) / side**2, atol=1e-12)


def test_weights_between_natural_and_uniform():
    """Three baselines in one cell and one alone, one of them in the other half plane, one of twice the noise."""
    uv = np.array([[1.0, 0.0], [1.1, 0.0], [-1.0, 0.1], [4.0, 0.0]])
    sigma = np.array([1.0, 1.0, 2.0, 1.0])
    natural = baseline_weights(uv, sigma, 10, 0.1)
    assert np.allclose(natural, np.array([4, 4, 1, 4]) / 13)
    uniform = baseline_weights(uv, sigma, 10, 0.1, "uniform")
    assert np.allclose(uniform, [4 / 18, 4 / 18, 1 / 18, 0.5])  # each cell half
    robust = [baseline_weights(uv, sigma, 10, 0.1, "briggs", r) for r in (-2, 0, 2)]
    assert np.allclose(robust[0], uniform, atol=1e-5) and np.allclose(robust[2], natural, atol=1e-3)
    assert uniform[3] > robust[1][3] > natural[3]


def test_what_does_not_fit_is_said():
    for arguments, message in (
        ((UVW[:, :1], 16, 0.01), "baselines"),
        ((UVW, 16, 0.0), "pixels"),
        ((np.full((2, 3), np.nan), 16, 0.01), "finite"),
        ((UVW[:, :2], 16, 0.01, True), "w term"),
        ((UVW, 64, 0.03, True), "horizon"),
        ((UVW, 17, 0.01, True, False), "even side"),
        ((np.zeros((1 << 16, 2)), 256, 0.01, False, True), "direct sums"),
        ((UVW, 5000, 0.01), "square grid"),
    ):
        with pytest.raises(ImagingError, match=message):
            NonUniformFourier(*arguments)
    with pytest.raises(ImagingError, match="weighting"):
        baseline_weights(UVW, 1.0, 16, 0.01, "robust")
    with pytest.raises(ImagingError, match="sigma > 0"):
        baseline_weights(UVW, 0.0, 16, 0.01)
    with pytest.raises(ImagingError, match="smaller pixels"):
        gridded(np.ones(50), UVW + 100, 1.0, 16, 0.01)
