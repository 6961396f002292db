"""The prior of the array's specification with soft walls, for methods that descend.

It is uniform inside ranges (sector, least separation, powers, coefficient magnitudes and phases). Its walls are made
soft, a quadratic penalty outside each range, so that Fisher scoring can lean on them.
"""

import math

import numpy as np
import torch

from doamc.angles import wrap_rad
from doamc.scenes.covariance import MOST_HEIGHT, CovarianceModel

#: how far outside a range costs half a nat: rad, nepers of power, share of a magnitude range
ANGLE_SOFTNESS, POWER_SOFTNESS, COEFFICIENT_SOFTNESS = math.radians(1.0), 0.15, 0.1

LEAST_SIZE = 1e-9  #: of a coefficient whose direction is asked for


class SoftPrior:
    """Penalty of x outside the prior's ranges, in nats, with gradient and Gauss-Newton curvature."""

    def __init__(self, model: CovarianceModel) -> None:
        spec, family, p = model.spec, model.spec.coefficient_family, model.n_sources
        self.model, self.family, self.full = model, family, spec.full_circle
        self.n_normal = 0 if model.series is None else model.series.n_normal
        self.turns = family.phase_rad < math.pi
        louder, quieter = (v * math.log(10) / 10 for v in reversed(spec.power_db))
        gaps, separation = p if self.full else p - 1, math.radians(spec.min_separation_deg)
        walls = [] if self.full else [(*spec.sector_rad, ANGLE_SOFTNESS)] * p
        self.pairs = np.triu_indices(p, 1)
        if spec.elevated:
            low, high = (math.sin(e) for e in spec.elevation_rad)
            walls += [(low, high, ANGLE_SOFTNESS)] * p
            nearest = -math.inf, math.cos(separation), ANGLE_SOFTNESS * math.sin(separation)
        else:
            nearest = separation, math.inf, ANGLE_SOFTNESS
        if p > 1:
            walls += [nearest] * (len(self.pairs[0]) if spec.elevated else gaps) + [
                (quieter - louder, 0.0, POWER_SOFTNESS)
            ] * p
        sizes = family.magnitude.tolist()
        walls += [(low, high, max(COEFFICIENT_SOFTNESS * (high - low), 1e-3)) for low, high in sizes]
        walls += [(-family.phase_rad, family.phase_rad, 0.1 * family.phase_rad)] * (len(sizes) if self.turns else 0)
        walls += [(0.0, 0.0, 1.0)] * self.n_normal  # half of their squares, as of a standard normal prior
        self.low, self.high, self.softness = np.array(walls).T

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Penalty (B,), gradient (B, D), curvature (B, D, D)."""
        found = self._of(x.numpy())
        return torch.from_numpy(found[0]), torch.from_numpy(found[1]), torch.from_numpy(found[2])

    def _of(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value = self._values(x)
        residual = (value - np.minimum(np.maximum(value, self.low), self.high)) / self.softness
        b, d = x.shape
        if not residual.any():  # inside, as most scenes are
            return np.zeros(b), np.zeros((b, d)), np.zeros((b, d, d))
        slope = self._slopes(x) / self.softness[:, None]
        held = np.where((residual != 0)[..., None], slope, 0.0)
        gradient, curvature = (residual[:, None] @ slope)[:, 0], held.swapaxes(1, 2) @ slope
        return 0.5 * (residual * residual).sum(1), gradient, curvature

    def _values(self, x: np.ndarray) -> np.ndarray:
        """What has walls (B, R): azimuths, gaps between them, powers below the greatest one, coefficients.

        With elevations: azimuths, heights, cosines of the angles between sources, powers, coefficients.
        """
        p, first = self.model.n_sources, self.model.first_power
        parts = [] if self.full else [x[:, :p]]
        power = x[:, first : first + p]
        if self.model.spec.elevated:
            parts.append(x[:, p:first])
            if p > 1:
                parts += [self._between(x)[0], power - power.max(1, keepdims=True)]
        elif p > 1:
            ascending = np.sort(x[:, :p], 1)
            gap = ascending[:, 1:] - ascending[:, :-1]
            if self.full:
                gap = wrap_rad(np.concatenate([gap, ascending[:, :1] - ascending[:, -1:]], 1), 0.0)
            parts += [gap, power - power.max(1, keepdims=True)]
        c, first = self._coefficients(x), first + p
        parts += [np.maximum(np.abs(c), LEAST_SIZE), *([np.angle(c)] if self.turns else [])]
        return np.concatenate([*parts, x[:, first : first + self.n_normal]], 1)

    def _slopes(self, x: np.ndarray) -> np.ndarray:
        """Derivatives (B, R, D) of the values by x."""
        p, first, eye = self.model.n_sources, self.model.first_power, np.eye(x.shape[1])
        parts = [] if self.full else [np.broadcast_to(eye[:p], (len(x), p, len(eye)))]
        top = first + x[:, first : first + p].argmax(1)[:, None]
        if self.model.spec.elevated:
            parts.append(np.broadcast_to(eye[p:first], (len(x), p, len(eye))))
            if p > 1:
                parts += [self._between(x)[1], eye[first : first + p] - eye[top]]
        elif p > 1:
            order = x[:, :p].argsort(1)
            gap = eye[np.roll(order, -1, 1)] - eye[order]
            parts += [gap if self.full else gap[:, :-1], eye[first : first + p] - eye[top]]
        c = self._coefficients(x)
        size, k = np.maximum(np.abs(c), LEAST_SIZE), c.shape[1]
        normal, re, im = np.split(eye[first + p : -1], [self.n_normal, self.n_normal + k])
        unit = c / size
        parts.append(unit.real[..., None] * re + unit.imag[..., None] * im)
        if self.turns:
            parts.append((unit.real[..., None] * im - unit.imag[..., None] * re) / size[..., None])
        parts.append(np.broadcast_to(normal, (len(x), *normal.shape)))
        return np.concatenate(parts, 1)

    def _between(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cosines (B, pairs) of the angles between sources on the sphere, and their derivatives (B, pairs, D) by x."""
        p, (i, j) = self.model.n_sources, self.pairs
        height = np.clip(x[:, p : 2 * p], -MOST_HEIGHT, MOST_HEIGHT)
        level = np.sqrt(1 - height * height)
        turn, slope = x[:, i] - x[:, j], -height / level
        across, along = level[:, i] * level[:, j], np.cos(turn)
        slopes, pair = np.zeros((len(x), len(i), x.shape[1])), np.arange(len(i))
        slopes[:, pair, i], slopes[:, pair, j] = -across * np.sin(turn), across * np.sin(turn)
        slopes[:, pair, p + i] = height[:, j] + slope[:, i] * level[:, j] * along
        slopes[:, pair, p + j] = height[:, i] + slope[:, j] * level[:, i] * along
        return height[:, i] * height[:, j] + across * along, slopes

    def _coefficients(self, x: np.ndarray) -> np.ndarray:
        """Complex coefficients (B, K)."""
        first = self.model.first_power + self.model.n_sources + self.n_normal
        last = first + self.family.n_coefficients
        return x[:, first:last] + 1j * x[:, last:-1]
