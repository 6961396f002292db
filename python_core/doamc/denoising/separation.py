"""Filters that part the emitters of a scene, as streams need them: one after the other without a step. numpy only.

Given the scene, waveforms of Gaussian emitters have the posterior mean (s2 P^-1 + V^H V)^-1 V^H y, V = C A. Each
estimate brings a scene of its own, with errors of its own in the phase of V: a filter is turned so that what it makes
of the latest samples has the phase of what its forerunner makes of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doamc.denoising.bearing_tracks import BearingTracks
from doamc.errors import EstimatorError

Complex = NDArray[np.complex128]


def responses(
    positions: NDArray[np.float64],  # shape: (N, 3), wavelengths
    coupling: Complex | None,  # shape: (N, N); None for the unit matrix
    azimuth_deg: Sequence[float],
    elevation_deg: Sequence[float] | None = None,  # None for the horizon
) -> Complex:
    """C A of emitters, (N, S)."""
    azimuth = np.radians(np.asarray(azimuth_deg, float))
    towards, axes = np.stack([np.cos(azimuth), np.sin(azimuth)]), positions[:, :2]
    if elevation_deg is not None:
        up = np.radians(np.asarray(elevation_deg, float))
        towards, axes = np.concatenate([np.cos(up) * towards, np.sin(up)[None]]), positions
    a = np.exp(2j * np.pi * axes @ towards)
    return np.asarray(a if coupling is None else coupling @ a, dtype=np.complex128)


def wiener(v: Complex, power: NDArray[np.float64], noise_power: float) -> Complex:
    """Posterior mean of the waveforms as a filter, (S, N)."""
    gram = v.conj().T @ v + np.diag(noise_power / power)
    return np.asarray(np.linalg.solve(gram, v.conj().T), dtype=np.complex128)


def turned(filters: Complex, before: Complex, samples: Complex) -> Complex:
    """Filters (S, N), each times the phase that makes its output of samples (N, K) agree with that of the one before.

    Where either output is zero nothing is turned.
    """
    agreement = np.sum((before @ samples) * (filters @ samples).conj(), 1)
    size = np.abs(agreement)
    return filters * np.where(size > 0, agreement / np.where(size > 0, size, 1), 1)[:, None]


class Separator:
    """Filters (P, N) for P tracks, renewed by estimates; rows of places that are empty are zero.

    Sources that have no place, and tracks that an estimate has missed, are in the scene all the same, so that they are
    kept out of the others' outputs.
    """

    def __init__(self, tracks: BearingTracks, n_channels: int) -> None:
        self.tracks = tracks
        self.filters: Complex = np.zeros((tracks.places, n_channels), complex)
        self._seen: list[tuple[Complex, float] | None] = [None] * tracks.places  # response and power of each place

    def update(
        self,
        v: Complex,  # shape: (N, S), responses of the sources of an estimate
        azimuth_deg: Sequence[float],
        power: NDArray[np.float64],  # shape: (S,), linear
        noise_power: float,
        samples: Complex,  # shape: (N, K), the latest ones
        time_s: float,  # stream time of the estimate
        std_deg: Sequence[float | None] = (),  # of the azimuths, where they are told
    ) -> list[bool]:
        """Take in an estimate; whether each place has an emitter that it had not before.

        Raises EstimatorError where a response, power or noise power is not finite, or a power is not positive.
        """
        numbers = np.concatenate([np.abs(v).ravel(), power, [noise_power]])
        if not np.isfinite(numbers).all() or not (noise_power > 0 and (power > 0).all()):
            raise EstimatorError("expected finite responses and positive powers of sources and noise, found others")
        before = [None if track is None else track.number for track in self.tracks.tracks]
        source_of = self.tracks.update(time_s, azimuth_deg, list(10 * np.log10(power)), std_deg)
        now = [None if track is None else track.number for track in self.tracks.tracks]
        fresh = [n is not None and n != b for n, b in zip(now, before, strict=True)]
        columns: list[Complex] = []
        powers: list[float] = []
        place_of: dict[int, int] = {}
        for place, source in enumerate(source_of):
            if source is not None:
                self._seen[place] = v[:, source], float(power[source])
            elif now[place] is None:
                self._seen[place] = None
            held = self._seen[place]
            if held is not None:
                place_of[len(columns)] = place
                columns.append(held[0])
                powers.append(held[1])
        for source in set(range(len(power))) - set(source_of):
            columns.append(v[:, source])
            powers.append(float(power[source]))
        filters = np.zeros_like(self.filters)
        if columns:
            made = wiener(np.stack(columns, 1), np.array(powers), noise_power)
            for row, place in place_of.items():
                filters[place] = made[row]
        aligned = turned(filters, self.filters, samples)
        self.filters = np.where(np.array(fresh)[:, None], filters, aligned)
        return fresh
