"""Batches of random samples, the same for each number."""

import numpy as np


def batch(k, n=3, length=50):
    rng = np.random.default_rng(k)
    return (rng.standard_normal((n, length)) + 1j * rng.standard_normal((n, length))).astype(np.complex64)
