"""Tables over frequency: tensors at Chebyshev nodes, between them by the polynomial through all.

At the nodes f_k = middle + half cos(pi k / (F - 1)) interpolation of a smooth function converges geometrically in F and
is stable; the weights are those of the barycentric formula ([Berrut-Trefethen]).
"""

import math

import numpy as np


def chebyshev_nodes(low: float, high: float, count: int) -> np.ndarray:
    """Nodes (F,) ascending in [low, high], both ends among them; F >= 2."""
    return 0.5 * (low + high) - 0.5 * (high - low) * np.cos(math.pi * np.arange(count) / (count - 1))


def interpolation_weights(nodes: np.ndarray, at: float) -> np.ndarray:
    """Weights (F,) of the values at Chebyshev nodes for the value at a point of their range."""
    distance = at - nodes
    if (abs(distance) < 1e-12).any():
        return (abs(distance) < 1e-12).astype(float)
    w = (-1.0) ** np.arange(len(nodes))
    w[[0, -1]] *= 0.5
    w = w / distance
    return w / w.sum()
