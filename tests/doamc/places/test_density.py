"""The density: its derivatives, and its modes against the posterior on a grid."""

import numpy as np
import pytest

from doamc.places import locate
from doamc.places.density import Density
from doamc.places.geodesy import bearing_of, ecef_m, moved
from tests.doamc.places.scenes import bearings_of, error_m, place

STATIONS = [(0.0, 0.0), (9e3, -2e3), (3e3, 8e3)]


@pytest.mark.parametrize("outliers", [0.0, 0.4])
def test_the_gradient_is_that_of_the_value(outliers):
    rng = np.random.default_rng(1)
    density = Density(bearings_of(STATIONS, (11e3, 9e3), 4, rng, outliers=outliers, told=0.2), 1e5)
    lat, lon = (float(v) for v in place(10.7e3, 9.4e3))
    heading = np.radians([0.3, -0.5, 0.1])
    gradient = density.at(lat, lon, heading).gradient
    for i, h in enumerate([0.1, 0.1, 1e-6, 1e-6, 1e-6]):
        step = np.zeros(5)
        step[i] = h
        values = []
        for sign in (1, -1):
            there = moved(lat, lon, *(sign * step[:2]))
            values.append(density.at(float(there[0]), float(there[1]), heading + sign * step[2:]).value)
        assert gradient[i] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-5)


def on_grid(bearings, centre, half_m, size=61, nodes=15, stations=STATIONS):
    """Mean and covariance, m about `centre`, of the posterior on a grid; heading errors by Gauss-Hermite quadrature.

    half_m: of the grid, or east and north. Written apart from the library, but for the bearing between two places.
    """
    east, north = (v.ravel() for v in np.meshgrid(*(h * np.linspace(-1, 1, size) for h in np.broadcast_to(half_m, 2))))
    x = ecef_m(*place(centre[0] + east, centre[1] + north))
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    log = np.zeros(len(east))
    for s, spread in enumerate(bearings.heading_std):
        own = bearings.station == s
        theta = bearing_of(bearings.latitude[own], bearings.longitude[own], x[:, None])  # shape: (G, M)
        total = 0.0
        for node, weight in zip(z, w, strict=True):
            off = np.angle(np.exp(1j * (bearings.bearing[own, 0] - theta - node * spread)))
            std, wrong = bearings.std[own, 0], bearings.outlier[own]
            one = (1 - wrong) * np.exp(-0.5 * (off / std) ** 2) / (std * np.sqrt(2 * np.pi)) + wrong / (2 * np.pi)
            total = total + weight * np.prod(one, axis=1)
        log += np.log(total)
    middle = np.mean(stations, axis=0)  # the prior, uniform in range from the middle of the stations
    extent = np.linalg.norm(np.array(stations) - middle, axis=1).max()
    log -= 0.5 * np.log(((centre + np.stack([east, north], 1) - middle) ** 2).sum(1) + extent**2)
    p = np.exp(log - log.max())
    p /= p.sum()
    points = np.stack([east, north], axis=1)
    mean = p @ points
    return mean, (points - mean).T @ (p[:, None] * (points - mean))


@pytest.mark.parametrize(("seed", "std_deg", "outliers"), [(2, 0.5, 0.0), (3, 1.0, 0.25), (5, 1.5, 0.0)])
def test_a_mode_and_its_covariance_are_those_of_the_grid(seed, std_deg, outliers):
    """Both are second moments of nearly the same Gaussian: a fix with a spread of a twentieth of its range."""
    emitter = np.array([6e3, 5e3])
    rng = np.random.default_rng(seed)
    bearings = bearings_of(STATIONS, emitter, 4, rng, std_deg, 0.6, outliers)
    found = locate(bearings, 1e5)[0].candidates[0]
    mean, covariance = on_grid(bearings, emitter, 700.0)
    spread = np.sqrt(np.diag(covariance))
    assert np.abs(-error_m(found, emitter) - mean).max() < 0.15 * spread.max()
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(spread, rel=0.12)
    correlation = [c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]) for c in (found.covariance, covariance)]
    assert correlation[0] == pytest.approx(correlation[1], abs=0.12)
