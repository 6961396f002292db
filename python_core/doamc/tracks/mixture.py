"""Mixtures of Gaussians over (bearing, rate) on the circle, T of them side by side with K components each."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.angles import wrap_rad

Array = NDArray[np.float64]

NEAR = 4.0  #: squared distance in standard deviations below which components become one
TURN = 2 * math.pi


@dataclass
class Mixture:
    """Weights that sum to 1 (unused components have 0), means in rad and rad/s, covariances."""

    weight: Array  # shape: (T, K)
    mean: Array  # shape: (T, K, 2)
    cov: Array  # shape: (T, K, 2, 2)

    def moved(self, f: Array, q: Array) -> "Mixture":
        """After a linear step with matrix `f` and noise `q`, each (2, 2)."""
        mean = self.mean @ f.T
        mean[..., 0] = wrap_rad(mean[..., 0])
        return Mixture(self.weight, mean, f @ self.cov @ f.T + q)

    def rows(self, index: NDArray[np.intp]) -> "Mixture":
        """Those of the given rows."""
        return Mixture(self.weight[index], self.mean[index], self.cov[index])

    def centre(self) -> Array:
        """Circular mean of the bearing in rad, (T,)."""
        turned = (self.weight * np.exp(1j * self.mean[..., 0])).sum(-1)
        return np.angle(turned)

    def deviations(self) -> Array:
        """Means of the components about the centre in rad, (T, K), within half a turn."""
        return wrap_rad(self.mean[..., 0] - self.centre()[:, None])

    def std(self) -> Array:
        """Standard deviation of the bearing about the centre in rad, (T,)."""
        return np.sqrt((self.weight * (self.deviations() ** 2 + self.cov[..., 0, 0])).sum(-1))

    def reduced(self, k: int) -> "Mixture":
        """At most `k` components: the heaviest takes in those near it, then the next; what is left over goes.

        Taking in keeps weight, mean and covariance of the sum (Salmond 1990, "Mixture reduction algorithms for target
        tracking in clutter").
        """
        weight, t = self.weight.copy(), len(self.weight)
        row = np.arange(t)
        out = Mixture(np.zeros((t, k)), np.zeros((t, k, 2)), np.tile(np.eye(2), (t, k, 1, 1)))
        for j in range(k):
            head = weight.argmax(1)
            centre, cov = self.mean[row, head], self.cov[row, head]
            apart = self.mean - centre[:, None]
            apart[..., 0] = wrap_rad(apart[..., 0])
            det = cov[:, 0, 0] * cov[:, 1, 1] - cov[:, 0, 1] ** 2
            u, v = apart[..., 0], apart[..., 1]
            distance = cov[:, 1, 1, None] * u * u - 2 * cov[:, 0, 1, None] * u * v + cov[:, 0, 0, None] * v * v
            taken = np.where(distance < NEAR * det[:, None], weight, 0.0)
            taken[row, head] = weight[row, head]
            total = taken.sum(1)
            share = taken / np.maximum(total, 1e-300)[:, None]
            shift = (share[..., None] * apart).sum(1)
            rest = apart - shift[:, None]
            spread = (share[..., None, None] * (self.cov + rest[..., :, None] * rest[..., None, :])).sum(1)
            out.weight[:, j], out.mean[:, j] = total, centre + shift
            out.cov[:, j] = np.where((total > 0)[:, None, None], spread, np.eye(2))
            weight[taken > 0] = 0.0
            if not weight.any():
                break
        out.mean[..., 0] = wrap_rad(out.mean[..., 0])
        out.weight /= out.weight.sum(1, keepdims=True)
        return out
