r"""Posterior density of where an emitter is, and of the heading errors of the stations that heard it.

Observation m of station s has alternatives k, of bearing b, deviation sigma and share w. With theta_m(x) the bearing of
place x, delta_s the error of the station's heading and eps the probability that none is the emitter's,

    p(m | x, delta) = eps / 2 pi + (1 - eps) sum_k w_k N(b_k - theta_m(x) - delta_s; 0, sigma_k^2)

so what is far off counts no more than eps / 2 pi says: the tails are heavy. delta_s ~ N(0, heading_std_s^2) is common
to all bearings of a station: a thousand of them do not average it away. The prior over places is uniform in range from
the middle of the stations, p(x) ~ (r^2 + a^2)^(-1/2) within the region, with `a` their own extent, inside of which it
is uniform in area.
"""

import math
from dataclasses import dataclass

import numpy as np

from doamc.angles import wrap_rad
from doamc.places.bearings import BearingSet
from doamc.places.geodesy import east_north, ecef_m, middle

#: least deviation of a heading, rad: one of zero would need another set of equations
_LEAST_HEADING = math.radians(1e-3)


@dataclass(frozen=True)
class Point:
    """Density at a place.

    value: its logarithm, of places in m^2. gradient: (2 + S,), by m east, m north and the heading errors, rad.
    information: (2 + S, 2 + S), as `Density.at` says. share: (M, K), probability that an alternative is the emitter's.
    """

    value: float
    gradient: np.ndarray
    information: np.ndarray
    share: np.ndarray


class Density:
    """The density of a set of bearings.

    region_m: radius of the region, three times the stations' extent at least. Attributes: place, the middle of the
    stations, latitude and longitude, rad; extent_m, the `a` above; region_m; heading_std.
    """

    def __init__(self, bearings: BearingSet, region_m: float) -> None:
        b = self.bearings = bearings
        self.place = middle(b.latitude, b.longitude)
        self._centre, self._axes = ecef_m(*self.place), east_north(*self.place)
        self._at, self._frame = ecef_m(b.latitude, b.longitude), east_north(b.latitude, b.longitude)
        self.extent_m = max(1.0, float(np.linalg.norm(self._at - self._centre, axis=1).max()))
        self.region_m = max(region_m, 3 * self.extent_m)
        self.heading_std = np.maximum(b.heading_std, _LEAST_HEADING)
        with np.errstate(divide="ignore"):
            self._log_share = np.log(b.weight) + np.log1p(-b.outlier)[:, None] - np.log(b.std * math.sqrt(2 * math.pi))
            self._log_outlier = np.log(b.outlier / (2 * math.pi))
        #: logarithm of the integral of the prior, before it is divided by it
        area = 2 * math.pi * (math.hypot(self.region_m, self.extent_m) - self.extent_m)
        self._log_prior = -math.log(area)
        self._log_heading = -float(np.log(self.heading_std * math.sqrt(2 * math.pi)).sum())

    def at(self, latitude: float, longitude: float, heading: np.ndarray) -> Point:
        """Density at a place, rad, and heading errors, (S,) rad.

        The information takes the shares as given and each alternative as Gaussian, so it is never negative; the prior
        over places is left out of it.
        """
        b, size = self.bearings, 2 + len(self.heading_std)
        axes, x = east_north(latitude, longitude), ecef_m(latitude, longitude)
        theta, jacobian = self._seen(axes, x)
        off = wrap_rad(b.bearing - (theta + heading[b.station])[:, None])
        log = self._log_share - 0.5 * (off / b.std) ** 2
        top = np.maximum(log.max(1), self._log_outlier)
        each = np.exp(log - top[:, None])
        total = each.sum(1) + np.exp(self._log_outlier - top)
        share = each / total[:, None]
        pull, weight = (share * off / b.std**2).sum(1), (share / b.std**2).sum(1)
        gradient, information = np.zeros(size), np.zeros((size, size))
        gradient[:2] = pull @ jacobian
        gradient[2:] = np.bincount(b.station, pull, size - 2) - heading / self.heading_std**2
        information[:2, :2] = jacobian.T @ (weight[:, None] * jacobian)
        for axis in (0, 1):
            information[axis, 2:] = information[2:, axis] = np.bincount(b.station, weight * jacobian[:, axis], size - 2)
        information[2:, 2:] = np.diag(np.bincount(b.station, weight, size - 2) + self.heading_std**-2)
        u, along = self._axes @ (x - self._centre), self._axes @ axes.T
        square = float(u @ u) + self.extent_m**2
        gradient[:2] -= (u @ along) / square
        value = float(np.sum(np.log(total) + top)) + self._log_prior - 0.5 * math.log(square)
        value += self._log_heading - 0.5 * float(np.sum((heading / self.heading_std) ** 2))
        if float(u @ u) > self.region_m**2:
            value = -math.inf
        return Point(value, gradient, information, share)

    def score(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Logarithm of the density at C places, as if each bearing had a heading error of its own: to choose from."""
        b = self.bearings
        std = np.hypot(b.std, self.heading_std[b.station][:, None])
        log_share = self._log_share + np.log(b.std / std)
        away = ((ecef_m(latitude, longitude)[:, None] - self._at)[:, :, None] * self._frame).sum(-1)  # (C, M, 2)
        off = wrap_rad(b.bearing - np.arctan2(away[..., 0], away[..., 1])[..., None])
        log = np.logaddexp(np.logaddexp.reduce(log_share - 0.5 * (off / std) ** 2, axis=-1), self._log_outlier)
        return log.sum(1) + self.prior(ecef_m(latitude, longitude))

    def prior(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of the prior of Earth-centred places, (..., 3) m."""
        square = (((x - self._centre) @ self._axes.T) ** 2).sum(-1)
        log: np.ndarray = self._log_prior - 0.5 * np.log(square + self.extent_m**2)
        return np.where(square > self.region_m**2, -math.inf, log)

    def headings(self, latitude: float, longitude: float) -> np.ndarray:
        """Heading errors, (S,) rad, to begin with at a place: the median of what a station's bearings are off there.

        Of each the likeliest alternative, its deviation being that of the heading, too. Where bearings are much sharper
        than headings are known, none would be near the place with errors of 0, and nothing would draw them there.
        """
        b = self.bearings
        variance = b.std**2 + self.heading_std[b.station][:, None] ** 2
        theta, _ = self._seen(east_north(latitude, longitude), ecef_m(latitude, longitude))
        off = wrap_rad(b.bearing - theta[:, None])
        log = self._log_share + np.log(b.std) - 0.5 * (np.log(variance) + off**2 / variance)
        rows, best = np.arange(len(b)), log.argmax(1)
        off, near = off[rows, best], log[rows, best] > self._log_outlier
        return np.array([np.median(off[own]) if (own := near & (b.station == s)).any() else 0.0
                         for s in range(len(self.heading_std))])  # fmt: skip

    @property
    def by_chance(self) -> float:
        """Logarithm of the density of the observations where no emitter sent them."""
        return -len(self.bearings) * math.log(2 * math.pi)

    def _seen(self, axes: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bearings of a place x, with its axes, from each observation, (M,), and their derivatives, (M, 2) rad/m."""
        away = (self._frame * (x - self._at)[:, None]).sum(-1)  # (M, 2)
        turned = self._frame @ axes.T  # (M, 2, 2): axes of the station by those of the place
        square = np.maximum((away**2).sum(1), 1e-6)
        jacobian = (away[:, 1:] * turned[:, 0] - away[:, :1] * turned[:, 1]) / square[:, None]
        return np.arctan2(away[:, 0], away[:, 1]), jacobian
