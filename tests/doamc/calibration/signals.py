"""Signals that several channels receive, and the bound for what the channels did to them."""

import numpy as np


def normal(rng, *shape):
    """Circular complex Gaussian numbers of unit power."""
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def received(gains, size, snr_db, seed=0, lags=None, response=None):
    """Samples (N, size) of unit-power noise through channels: x_m(t + lag_m) = g_m b_m s(t) + n_m(t), complex64."""
    rng = np.random.default_rng(seed)
    gains = np.asarray(gains)
    lags = np.zeros(len(gains), int) if lags is None else np.asarray(lags)
    response = np.ones(len(gains)) if response is None else response
    guard = int(np.abs(lags).max())
    common = normal(rng, size + 2 * guard)
    rows = [common[guard - lag : guard - lag + size] for lag in lags]
    noise = 10 ** (-snr_db / 20) * normal(rng, len(gains), size)
    return ((gains * response)[:, None] * rows + noise).astype(np.complex64)


def bound(gains, size, snr_db):
    """Cramér-Rao bound: standard deviations (N,) of phases, rad, and of log gains, relative to channel 0.

    From the Fisher information L tr(R^-1 R_i R^-1 R_j) of R = p g g^H + s2 I by all its parameters, p = 1: the log
    gains and phases of channels 1..N-1, p and s2.
    """
    g, n, s2 = np.asarray(gains, complex), len(gains), 10 ** (-snr_db / 10)
    inverse = np.linalg.inv(np.outer(g, g.conj()) + s2 * np.eye(n))
    slopes = []
    for m in range(1, n):
        step = np.zeros(n, complex)
        step[m] = g[m]
        for change in (step, 1j * step):
            slopes.append(np.outer(change, g.conj()) + np.outer(g, change.conj()))
    # the gain of channel 0 is 1 by definition, so that p is its power
    slopes += [np.outer(g, g.conj()), np.eye(n)]
    fisher = size * np.array([[np.trace(inverse @ a @ inverse @ b).real for b in slopes] for a in slopes])
    deviation = np.sqrt(np.diag(np.linalg.inv(fisher)))
    return np.r_[0, deviation[1 : 2 * n - 2 : 2]], np.r_[0, deviation[0 : 2 * n - 2 : 2]]
