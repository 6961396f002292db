r"""What bearings tell of a place, heading errors integrated out, once it is settled which of them are the emitter's.

With the weights w_m = share / std^2 of the observations m of station s, e_m(x) = b_m - theta_m(x), and the deviation
h_s of its heading, the integral over the heading error is Gaussian:

    -2 ln p(b | x) = sum_m w_m e_m^2 - sum_s (sum_m w_m e_m)^2 / (sum_m w_m + h_s^-2)    (m of s)

Observations from nearly one place count as one of their mean, so that a thousand cost no more than one; those of one
place exactly lose nothing by it.
"""

import numpy as np

from doamc.angles import wrap_rad
from doamc.places.density import Density
from doamc.places.geodesy import below, east_north, ecef_m

#: places are nearly one in a square of this part of the stations' extent; larger ones where they would be more
_NEARLY, _MOST = 1 / 32, 512
#: least weight of a place, of that of all of them
_LEAST_WEIGHT = 1e-6


class Evidence:
    """Likelihood of places, as far as the shares of a mode go.

    share: (M, K), as of `Point`. Attributes, of the G places that bearings were taken from: at, (G, 3) m,
    Earth-centred; bearing and std, (G,) rad, with the heading error of their station.
    """

    def __init__(self, density: Density, share: np.ndarray) -> None:
        b = density.bearings
        weight = share / b.std**2
        x = ecef_m(b.latitude, b.longitude)
        side = _NEARLY * density.extent_m
        while True:
            square = np.round((x @ east_north(*density.place).T) / side).astype(np.int64)
            _, group = np.unique(np.column_stack([b.station, square]), axis=0, return_inverse=True)
            group = group.reshape(-1)
            count = int(group.max()) + 1
            if count <= _MOST or side > density.extent_m:
                break
            side *= 2
        each = weight.sum(1)
        total = np.bincount(group, each, count)
        kept = total > _LEAST_WEIGHT * total.sum()
        mean = np.stack([np.bincount(group, each * x[:, i], count) for i in range(3)], axis=1)[kept]
        turn = (weight * np.exp(1j * b.bearing)).sum(1)
        turn = np.bincount(group, turn.real, count) + 1j * np.bincount(group, turn.imag, count)
        station = np.zeros(count, dtype=np.int64)
        station[group] = b.station
        self._weight, station = total[kept], station[kept]
        lat, lon = below(mean / self._weight[:, None])
        self.at, self._frame = ecef_m(lat, lon), east_north(lat, lon)
        self.bearing = np.angle(turn[kept])
        self.std = np.hypot(self._weight**-0.5, density.heading_std[station])
        self._of = np.eye(len(density.heading_std))[station]  # shape: (G, S)
        self._shrunk = 1.0 / (self._weight @ self._of + density.heading_std**-2.0)

    def log(self, x: np.ndarray) -> np.ndarray:
        """ln p(b | x), but for a constant, at Earth-centred places, (..., 3) m."""
        e = self._off(x.reshape(-1, 3))
        pull = self._weight * e
        log: np.ndarray = -0.5 * ((pull * e).sum(1) - (pull @ self._of) ** 2 @ self._shrunk)
        return log.reshape(x.shape[:-1])

    def headings(self, x: np.ndarray) -> np.ndarray:
        """Heading errors, (S,) rad, that are likeliest with the emitter at a place, (3,) m."""
        found: np.ndarray = (self._weight * self._off(x[None])[0]) @ self._of * self._shrunk
        return found

    def _off(self, x: np.ndarray) -> np.ndarray:
        """How far bearings are from those of places, (P, 3) m: (P, G) rad."""
        away = x @ self._frame.reshape(-1, 3).T - (self._frame * self.at[:, None]).sum(-1).reshape(-1)
        off: np.ndarray = wrap_rad(self.bearing - np.arctan2(away[:, ::2], away[:, 1::2]))
        return off
