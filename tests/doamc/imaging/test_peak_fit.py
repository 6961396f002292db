import math

import numpy as np
import pytest

from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.array_visibilities import array_visibilities
from doamc.imaging.peak_fit import _slopes, fit_peak, spread_of_peak
from doamc.imaging.sky_grid import FRONT, angles_of, field, tangent_frame

from .array_scene import circle, circulant, line, panel, scene


def test_slopes_are_the_differences_of_the_image():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, 16)) + 1j * rng.standard_normal((16, 16))
    v, beam = x @ x.conj().T, ArrayBeam(circle() + rng.normal(0, 0.2, (16, 3)), field(pixels=4))
    at, h = tangent_frame(35.0, 50.0)[2], 1e-4
    tangents, gradient, hessian = _slopes(beam, v, at)

    def value(step):
        t = step @ tangents
        size = np.linalg.norm(t)
        s = at if size == 0 else math.cos(size) * at + math.sin(size) * t / size  # along a great circle
        a = beam.response(s[None])[0]
        return (a.conj() @ v @ a).real / 256

    e = h * np.eye(2)
    first = [(value(d) - value(-d)) / (2 * h) for d in e]
    second = [[(value(d + g) - value(d - g) - value(g - d) + value(-d - g)) / (4 * h**2) for g in e] for d in e]
    np.testing.assert_allclose(gradient, first, rtol=1e-6)
    np.testing.assert_allclose(hessian, second, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("positions, azimuth, elevation", [(circle(), 70.0, 40.0), (panel(), -20.0, 15.0)])
def test_a_point_is_found_between_the_pixels(positions, azimuth, elevation):
    one = scene(positions, azimuth, elevation, noise=0.0)
    beam = ArrayBeam(positions, field(FRONT, 1.0, 4))
    start = tangent_frame(azimuth + 3.0, elevation - 3.0)[2]
    peak = fit_peak(beam, one.covariance, start)
    assert angles_of(peak.direction) == pytest.approx((azimuth, elevation), abs=1e-4)
    assert peak.power == pytest.approx(1.0, abs=1e-9)


def test_the_spread_is_that_of_repeated_measurements():
    """Sample covariances of 500 snapshots through a coupled circle; deviations of 200 of them scatter by 5 %."""
    c = circulant(16, 0.3 * np.exp(0.5j), 0.1j)
    one, beam = scene(circle(), 70.0, 40.0, noise=1.0, coupling=c), ArrayBeam(circle(), field(pixels=4))
    found, told = [], None
    for seed in range(200):
        observed = array_visibilities(one.sample(500, seed), 500, 1.0, c)
        peak = fit_peak(beam, observed.values, one.directions[0])
        found.append(angles_of(peak.direction))
        told = told or spread_of_peak(beam, array_visibilities(one.covariance, 500, 1.0, c), observed.values,
                                      one.directions[0])  # fmt: skip
    np.testing.assert_allclose(np.std(found, 0), told, rtol=0.17)


@pytest.mark.parametrize("positions, elevation", [(line(), 0.0), (circle(), 0.0)])
def test_what_the_array_does_not_tell_has_no_deviation(positions, elevation):
    one, beam = scene(positions, 20.0, elevation), ArrayBeam(positions, field(FRONT, 1.0, 4))
    observed = array_visibilities(one.covariance, 1000, 0.1)
    azimuth, none = spread_of_peak(beam, observed, observed.values, one.directions[0])
    assert 0 < azimuth < 1 and math.isnan(none)
