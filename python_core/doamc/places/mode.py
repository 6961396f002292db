"""A mode of the density: climbed from a start, with its covariance and evidence.

Coordinates are polar about the nearest place of a station, `u = ln r` and the angle. In them a fix is close to Gaussian
far away, too, where the range is known by a factor only, and near a station, where the density in metres has its top at
the station itself. Steps are damped Gauss-Newton, as Levenberg's and Marquardt's, on `ln p + 2 u`, the density in these
coordinates; the covariance is the inverse of its observed information, turned into metres by the derivative there.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from doamc.places.density import Density, Point
from doamc.places.geodesy import below, east_north, ecef_m

_STEPS, _TURNS = 100, 3
#: least range, m
_NEAR_M = 1.0
#: step of differences, in deviations; least curvature of a mode, of one in such steps
_DIFFERENCE, _LEAST_CURVATURE = 0.02, 1e-10
#: greatest slope of a top, squared, of one a deviation
_LEVEL = 1e-3
#: least information on u, so that a range that nothing tells has a deviation all the same
_FLOOR = 1e-4


@dataclass(frozen=True)
class Mode:
    """The top: place, latitude and longitude, rad; heading errors, (S,) rad.

    covariance: (2, 2) m^2, east and north, and evidence by Laplace; None and -inf where the density is none of a
    Gaussian. log_density: of the place alone, in m^2. spread: deviation of the range, of the range.
    """

    place: tuple[float, float]
    heading: np.ndarray
    covariance: np.ndarray | None
    evidence: float
    log_density: float
    spread: float
    point: Point


@dataclass(frozen=True)
class _Chart:
    """Polar coordinates about a place of a station: its number among the observations, x, and axes, Earth-centred."""

    number: int
    x: np.ndarray
    axes: np.ndarray


@dataclass(frozen=True)
class _At:
    """Coordinates z = (u, angle, heading errors), and the density in them: value, gradient and information by z.

    derivative: (2, 2), m east and north at the place by u and angle.
    """

    z: np.ndarray
    place: tuple[float, float]
    derivative: np.ndarray
    point: Point


def climb(density: Density, latitude: float, longitude: float) -> Mode | None:
    """The mode above a place, rad; None where there is none."""
    place = (latitude, longitude)
    heading = density.headings(latitude, longitude)
    here, number = None, -1
    for _ in range(_TURNS):  # until the nearest place of a station stays the same
        chart, z = _polar(density, place, heading)
        if chart.number == number:
            break
        number = chart.number
        here = _climbed(density, chart, _at(density, chart, z))
        place, heading = here.place, here.z[2:]
    if here is None or not math.isfinite(here.point.value):
        return None
    information = np.diagonal(here.point.information)
    log_heading = 0.5 * float(np.log(information[2:] / (2 * math.pi)).sum())
    top = Mode(
        here.place,
        heading,
        None,
        -math.inf,
        here.point.value - 2 * float(here.z[0]) - log_heading,
        math.inf,
        here.point,
    )
    if _polar(density, place, heading)[0].number != number or not information.min() > 0:
        return top  # it slid to another station, at which nothing is smooth
    scale = np.sqrt(information)
    slope = here.point.gradient / scale
    values, vectors = np.linalg.eigh(_observed(density, chart, here, scale))
    if values[0] < _LEAST_CURVATURE or slope @ slope > _LEVEL:
        return top
    spread = math.sqrt(float((vectors[0] ** 2 / values).sum())) / float(scale[0])
    inverse = ((vectors / values) @ vectors.T / np.outer(scale, scale))[:2, :2]
    log = float(np.log(values).sum() + 2 * np.log(scale).sum()) - len(values) * math.log(2 * math.pi)
    covariance = here.derivative @ inverse @ here.derivative.T
    return replace(top, covariance=covariance, evidence=here.point.value - 0.5 * log, spread=spread)


def _polar(density: Density, place: tuple[float, float], heading: np.ndarray) -> tuple[_Chart, np.ndarray]:
    """The coordinates about the nearest place of a station, and what they are of this place."""
    b, x = density.bearings, ecef_m(*place)
    stations = ecef_m(b.latitude, b.longitude)
    near = int(np.argmin(((stations - x) ** 2).sum(1)))
    chart = _Chart(near, stations[near], east_north(b.latitude[near], b.longitude[near]))
    east, north = chart.axes @ (x - chart.x)
    return chart, np.array([math.log(max(math.hypot(east, north), _NEAR_M)), math.atan2(east, north), *heading])


def _at(density: Density, chart: _Chart, z: np.ndarray) -> _At:
    r, direction = math.exp(min(z[0], 20.0)), np.array([math.sin(z[1]), math.cos(z[1])])
    latitude, longitude = below(chart.x + r * direction @ chart.axes)
    place = float(latitude), float(longitude)
    turned = east_north(*place) @ chart.axes.T
    derivative = r * turned @ np.array([direction, [direction[1], -direction[0]]]).T
    point = density.at(*place, z[2:])
    chain = np.eye(len(z))
    chain[:2, :2] = derivative
    gradient = chain.T @ point.gradient
    gradient[0] += 2.0
    information = chain.T @ point.information @ chain
    information[[0, 1], [0, 1]] += _FLOOR
    value = point.value + 2.0 * z[0] if r >= _NEAR_M else -math.inf
    return _At(z, place, derivative, replace(point, value=value, gradient=gradient, information=information))


def _climbed(density: Density, chart: _Chart, here: _At) -> _At:
    damping = 1e-3
    for _ in range(_STEPS):
        information = here.point.information
        step = np.linalg.solve(information + np.diag(damping * np.diagonal(information)), here.point.gradient)
        if not here.point.gradient @ step > 1e-8:
            break
        step[:2] /= max(1.0, np.abs(step[:2]).max())  # no further than by a factor of e, or a radian
        new = _at(density, chart, here.z + step)
        if new.point.value > here.point.value:
            here, damping = new, max(damping / 5, 1e-9)
        elif damping > 1e9:
            break
        else:
            damping *= 8
    return here


def _observed(density: Density, chart: _Chart, here: _At, scale: np.ndarray) -> np.ndarray:
    """-d^2 ln p by central differences of the gradient, over scale by scale; where that is not positive, expected."""
    rows = []
    for i in range(len(scale)):
        step = np.zeros_like(scale)
        step[i] = _DIFFERENCE / scale[i]
        ahead, behind = (_at(density, chart, here.z + s).point.gradient for s in (step, -step))
        rows.append((behind - ahead) / (2 * _DIFFERENCE * scale))
    observed = 0.5 * (np.array(rows) + np.array(rows).T)
    if np.linalg.eigvalsh(observed)[0] >= _LEAST_CURVATURE:
        return observed
    expected: np.ndarray = here.point.information / np.outer(scale, scale)
    return expected
