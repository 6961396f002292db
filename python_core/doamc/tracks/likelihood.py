"""What a pair of emitter and sighting says: its likelihood, and where the emitter is if the two belong together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doamc.angles import wrap_rad
from doamc.tracks.mixture import TURN, Array, Mixture
from doamc.tracks.options import TrackerOptions
from doamc.tracks.sighting import Sighting


@dataclass
class Slice:
    """Sightings of a slice as arrays; modes that a sighting lacks have share 0."""

    share: Array  # shape: (M, J)
    azimuth: Array  # shape: (M, J), rad
    std: Array  # shape: (M, J), rad
    frequency: Array  # shape: (M,), Hz, NaN where unknown
    bandwidth: Array  # shape: (M,), Hz

    @classmethod
    def of(cls, sightings: Sequence[Sighting]) -> "Slice":
        """The arrays of sightings, in their order."""
        j = max((len(s.modes) for s in sightings), default=1)
        modes = np.tile(np.array([0.0, 1.0, 0.0]), (len(sightings), j, 1))
        for m, sighting in enumerate(sightings):
            modes[m, : len(sighting.modes)] = sighting.modes
        frequency = [math.nan if s.frequency_hz is None else s.frequency_hz for s in sightings]
        return cls(
            modes[..., 2] / modes[..., 2].sum(-1, keepdims=True),
            np.radians(modes[..., 0]), np.radians(modes[..., 1]),
            np.array(frequency), np.array([s.bandwidth_hz for s in sightings], dtype=float),
        )  # fmt: skip


def frequency_ratio(
    frequency: Array,  # shape: (T,), Hz, NaN where unknown
    bandwidth: Array,  # shape: (T,), Hz
    seen: Slice,
    o: TrackerOptions,
) -> Array:
    """Density of a sighting's frequency over that of anything in the band, (T, M); 1 where one of them is unknown."""
    std = np.hypot(o.frequency_std_hz, np.maximum(bandwidth[:, None], seen.bandwidth) / 4)
    apart = (seen.frequency - frequency[:, None]) / std
    ratio = np.exp(-(apart**2) / 2) / (math.sqrt(TURN) * std) * o.band_hz
    return np.where(np.isnan(ratio), 1.0, ratio)


def bearing_density(mixture: Mixture, seen: Slice) -> tuple[Array, Array, Array]:
    """Densities of the modes under the components with both weights, (T, M, K, J); innovations and their variances."""
    apart = wrap_rad(seen.azimuth[None, :, None, :] - mixture.mean[:, None, :, None, 0])
    variance = mixture.cov[:, None, :, None, 0, 0] + seen.std[None, :, None, :] ** 2
    weight = mixture.weight[:, None, :, None] * seen.share[None, :, None, :]
    return weight * np.exp(-(apart**2) / (2 * variance)) / np.sqrt(TURN * variance), apart, variance


def seen_mixture(
    mixture: Mixture,  # T rows
    unseen: Array,  # shape: (T,), probability that no sighting is its own, where it exists
    pair: Array,  # shape: (T, M), probability of each sighting, where it exists
    density: Array,  # shape: (T, M, K, J)
    apart: Array,
    variance: Array,
) -> Mixture:
    """The mixture over all that may have been seen: components as they were, and each moved by each mode (Kalman)."""
    t, m, k, j = density.shape
    weight = pair[:, :, None, None] * density / np.maximum(density.sum((2, 3), keepdims=True), 1e-300)
    weight = weight.reshape(t, m * k * j)
    column = np.argsort(weight, 1)[:, -4 * k :]  # what weighs least is left out before anything is computed
    row = np.arange(t)[:, None]
    component = column // j % k
    mean, cov = mixture.mean[row, component], mixture.cov[row, component]
    most, s = weight[row, column], variance.reshape(t, m * k * j)[row, column]
    gain = cov[..., 0] / s[..., None]
    moved = mean + gain * apart.reshape(t, m * k * j)[row, column][..., None]
    shrunk = cov - gain[..., :, None] * cov[..., None, 0, :]
    return Mixture(
        np.concatenate((unseen[:, None] * mixture.weight, most), 1),
        np.concatenate((mixture.mean, moved), 1),
        np.concatenate((mixture.cov, shrunk), 1),
    )
