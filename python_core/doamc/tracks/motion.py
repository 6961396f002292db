"""How bearings move: their rate is an Ornstein-Uhlenbeck process, so that emitters turn for a while and then no more.

With the stationary spread sigma of the rate and its time tau, over dt and with e = exp(-dt / tau)
(Singer 1970, "Estimating optimal tracking filter performance for manned maneuvering targets"):

    bearing' = bearing + tau (1 - e) rate + w_1,    rate' = e rate + w_2
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def transition(dt_s: float, rate_std: float, rate_time_s: float) -> tuple[Array, Array]:
    """Matrix F (2, 2) and covariance Q (2, 2) of (bearing, rate) over `dt_s` >= 0; rates in rad/s."""
    tau, x = rate_time_s, dt_s / rate_time_s
    e = math.exp(-x)
    f = np.array([[1.0, tau * -math.expm1(-x)], [0.0, e]])
    # of the integral, its product with the rate, and the rate; differences of nearly equal numbers as a series
    q11 = 2 * x - 3 + 4 * e - e * e if x > 1e-2 else x**3 * (2 / 3 - x / 2)
    q12 = math.expm1(-x) ** 2
    q22 = -math.expm1(-2 * x)
    q = rate_std**2 * np.array([[tau * tau * q11, tau * q12], [tau * q12, q22]])
    return f, q
