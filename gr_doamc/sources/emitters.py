"""Simulated emitters: where they are over time, how strong, and what they send. numpy only."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from doamc.errors import SpecificationError

WAVEFORMS = ("gaussian", "qpsk", "constant-modulus", "tone")
_KEYS = {"azimuth_deg", "elevation_deg", "track", "power_db", "waveform", "oversampling", "frequency_hz"}


@dataclass(frozen=True)
class Emitter:
    """One emitter.

    track: (T, 3) times in s, ascending, azimuths and elevations in deg, linear in between and constant outside; one row
    stands still. power_db: power at one uncoupled element. waveform: one of `WAVEFORMS`, all of unit mean power.
    oversampling: samples for which a symbol (qpsk, constant-modulus) is held. frequency_hz: of a tone.
    """

    track: np.ndarray
    power_db: float = 0.0
    waveform: str = "gaussian"
    oversampling: int = 1
    frequency_hz: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether the direction changes with time."""
        return len(self.track) > 1

    def azimuth_deg(self, time_s: float) -> float:
        """Azimuth at a stream time, degrees."""
        return float(np.interp(time_s, self.track[:, 0], self.track[:, 1]))

    def elevation_deg(self, time_s: float) -> float:
        """Elevation at a stream time, degrees."""
        return float(np.interp(time_s, self.track[:, 0], self.track[:, 2]))

    @property
    def raised(self) -> bool:
        """Whether it is ever off the horizon."""
        return bool(self.track[:, 2].any())


def make_emitter(table: dict[str, Any], sample_rate: float) -> Emitter:
    """Emitter of a dict: ``azimuth_deg`` or ``track``, and the other fields of `Emitter`.

    track: [(s, azimuth), ...] or [(s, azimuth, elevation), ...] in deg; one of pairs is at ``elevation_deg``, 0 where
    it is left out.

    Raises SpecificationError that names what is wrong. A tone must lie within half the sample rate.
    """
    if not isinstance(table, dict) or ("azimuth_deg" in table) == ("track" in table):
        raise SpecificationError(f"an emitter must be a dict with either 'azimuth_deg' or 'track', found {table!r}")
    unknown = sorted(map(str, table.keys() - _KEYS))
    if unknown:
        raise SpecificationError(f"an emitter takes {', '.join(sorted(_KEYS))}; found {', '.join(unknown)}")
    try:
        track = np.asarray(table.get("track", [(0.0, table.get("azimuth_deg"))]), dtype=float)
        if "elevation_deg" in table or track.ndim != 2 or track.shape[1] != 3:
            track = track.reshape(-1, 2) if track.size == 0 else track.reshape(len(track), 2)
            track = np.column_stack([track, np.full(len(track), float(table.get("elevation_deg", 0.0)))])
        emitter = Emitter(
            track, float(table.get("power_db", 0.0)), str(table.get("waveform", "gaussian")),
            int(table.get("oversampling", 1)), float(table.get("frequency_hz", 0.0)),
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        rows = "(s, deg) or, without elevation_deg, of (s, deg, deg)"
        raise SpecificationError(f"an emitter needs numbers, a track rows of {rows}; found {table!r}") from error
    if not len(track) or not np.isfinite(track).all() or (np.diff(track[:, 0]) <= 0).any():
        raise SpecificationError(f"a track needs finite (s, deg) of ascending time, found {track.tolist()}")
    if np.abs(track[:, 2]).max() > 90:
        raise SpecificationError(f"elevations must lie in -90..90 deg, found {track[:, 2].tolist()}")
    if not math.isfinite(emitter.power_db):
        raise SpecificationError(f"power_db must be finite, found {emitter.power_db}")
    if emitter.waveform not in WAVEFORMS:
        raise SpecificationError(f"waveform must be one of {', '.join(WAVEFORMS)}, found {emitter.waveform!r}")
    if emitter.oversampling < 1:
        raise SpecificationError(f"oversampling must be at least 1, found {emitter.oversampling}")
    if not abs(emitter.frequency_hz) <= sample_rate / 2:
        raise SpecificationError(f"a tone must lie within +-{sample_rate / 2:g} Hz, found {emitter.frequency_hz:g}")
    return emitter


class Waveform:
    """The samples of one emitter, amplitude included, a block at a time.

    Symbols are held across block borders, so the stream does not depend on how it is cut.
    """

    def __init__(self, emitter: Emitter, sample_rate: float, rng: np.random.Generator) -> None:
        self._kind, self._hold, self._rng = emitter.waveform, emitter.oversampling, rng
        self._amplitude = 10 ** (emitter.power_db / 20)
        self._turn = 2 * math.pi * emitter.frequency_hz / sample_rate
        self._phase = rng.uniform(0, 2 * math.pi)
        self._position, self._symbol, self._last = 0, -1, 0j

    def next(self, size: int) -> np.ndarray:
        """The next samples, (size,) complex64."""
        start, self._position = self._position, self._position + size
        if self._kind == "gaussian":
            return complex_normal(self._rng, (size,), self._amplitude)
        if self._kind == "tone":
            phase = self._phase + np.fmod(self._turn * np.arange(start, start + size), 2 * math.pi)
            return (self._amplitude * np.exp(1j * phase)).astype(np.complex64)
        index = np.arange(start, start + size) // self._hold
        fresh = self._draw(int(index[-1]) - self._symbol)
        first = int(index[0])
        symbols = fresh if first > self._symbol else np.append(self._last, fresh)
        self._symbol, self._last = int(index[-1]), symbols[-1]
        return symbols[index - first].astype(np.complex64)

    def _draw(self, count: int) -> np.ndarray:
        if self._kind == "qpsk":
            phase = math.pi / 4 + math.pi / 2 * self._rng.integers(4, size=count)
        else:
            phase = self._rng.uniform(0, 2 * math.pi, count)
        return self._amplitude * np.exp(1j * phase)


def complex_normal(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Circular complex Gaussian samples of power scale^2, complex64."""
    pairs = rng.standard_normal((*shape[:-1], 2 * shape[-1]), dtype=np.float32)
    pairs *= scale / math.sqrt(2)
    return pairs.view(np.complex64)
