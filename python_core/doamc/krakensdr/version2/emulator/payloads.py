"""Samples of the emulated receiver as its packets carry them: drawn once, quantised to 8 bits, sent over and over."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ReceiverError
from doamc.krakensdr.version2.packet import CHANNELS, SAMPLES

#: most bytes of the loop of antenna samples, packets of those of the noise source and of those without calibration
_MEMORY, _OTHERS = 1 << 28, 8
#: limits of what is asked for: level, dB of full scale; offset of the converters, steps
_LEVEL_DB, _OFFSET = (-60.0, 20.0), 100.0


@dataclass(frozen=True)
class Converter:
    """8-bit converters: 127.5 is zero, 255 and 0 are full scale.

    scale: of the samples, full scale 1. offset: (M, 1, 2) steps that each channel's I and Q are off.
    """

    scale: float
    offset: NDArray[np.float32]

    def __call__(self, samples: NDArray[np.complex64]) -> NDArray[np.uint8]:
        """Samples (M, T) as (M, 2 T) bytes, I and Q in turn, clipped to 0..255."""
        m, t = samples.shape
        steps = np.ascontiguousarray(samples, np.complex64).view(np.float32).reshape(m, t, 2) * (127.5 * self.scale)
        steps += 127.5 + self.offset
        np.clip(np.rint(steps, out=steps), 0, 255, out=steps)
        return steps.astype(np.uint8).reshape(m, 2 * t)


class Payloads:
    """Payloads of packets, channel after channel, each (M x 2T,) bytes; they repeat.

    draw: the next samples of the antennas, (M, T) complex64. n_samples: T, a channel and packet. count: packets of the
    antennas' loop, fewer where they take more than 256 MiB. level_db: mean power of the strongest channel, dB of full
    scale. offset: most steps that a converter's I or Q is off zero. seed: of offsets, phases and calibration noise.
    Attributes: n_channels, n_samples, antennas, noise (the noise source: the same in all channels), uncalibrated
    (of the antennas, each channel turned by an angle of its own), phases_deg (M,) of that, offset (M, 2) steps.
    Raises ReceiverError when one of them is out of range.
    """

    def __init__(
        self, draw: Callable[[int], NDArray[np.complex64]], n_channels: int, n_samples: int, count: int = 8,
        level_db: float = -12.0, offset: float = 2.0, seed: int = 0,
    ) -> None:  # fmt: skip
        check_payloads(n_channels, n_samples)
        if not _LEVEL_DB[0] <= level_db <= _LEVEL_DB[1] or not 0 <= offset <= _OFFSET:
            raise ReceiverError(
                f"expected a level of {_LEVEL_DB[0]:g} to {_LEVEL_DB[1]:g} dB and an offset of 0 to {_OFFSET:g} steps, "
                f"found {level_db:g} and {offset:g}"
            )
        rng = np.random.default_rng(seed)
        self.n_channels, self.n_samples = n_channels, n_samples
        first = draw(n_samples)
        power = float((first.real**2 + first.imag**2).mean(1).max())
        level = 10 ** (level_db / 20)
        offsets = rng.uniform(-offset, offset, (n_channels, 1, 2)).astype(np.float32)
        convert = Converter(level / math.sqrt(power) if power else 1.0, offsets)
        others = max(1, min(_OTHERS, count))
        count = max(1, min(count, _MEMORY // (2 * n_channels * n_samples)))
        turns = rng.uniform(-np.pi, np.pi, n_channels)
        turns[0] = 0.0
        turn = np.exp(1j * turns).astype(np.complex64)[:, None]
        self.phases_deg, self.offset = np.rad2deg(turns), offsets[:, 0]
        self.antennas, self.uncalibrated = [convert(first).reshape(-1)], [convert(first * turn).reshape(-1)]
        for number in range(1, count):
            samples = draw(n_samples)
            self.antennas.append(convert(samples).reshape(-1))
            if number < others:
                self.uncalibrated.append(convert(samples * turn).reshape(-1))
        source = Converter(level, offsets)
        self.noise = [source(_common(rng, n_channels, n_samples)).reshape(-1) for _ in range(others)]

    def clipped(self, number: int) -> NDArray[np.uint8]:
        """Antennas of a packet driven ten times too high, so that most samples lie at the ends of the scale."""
        steps = (self.antennas[number % len(self.antennas)].astype(np.float32) - 127.5) * 10 + 127.5
        return np.clip(np.rint(steps), 0, 255).astype(np.uint8)


def check_payloads(n_channels: int, n_samples: int) -> None:
    """Raise ReceiverError where no packet holds so many channels or samples."""
    if not CHANNELS[0] <= n_channels <= CHANNELS[1] or not SAMPLES[0] <= n_samples <= SAMPLES[1]:
        raise ReceiverError(
            f"expected {CHANNELS[0]} to {CHANNELS[1]} channels and {SAMPLES[0]} to {SAMPLES[1]} samples a packet, "
            f"found {n_channels} and {n_samples}"
        )


def _common(rng: np.random.Generator, n_channels: int, n_samples: int) -> NDArray[np.complex64]:
    """The noise source, of unit power in every channel, and the receivers' own noise, 30 dB below."""

    def normal(rows: int) -> NDArray[np.complex64]:
        return rng.standard_normal((rows, 2 * n_samples), dtype=np.float32).view(np.complex64) * np.float32(0.5**0.5)

    return normal(1) + np.float32(10**-1.5) * normal(n_channels)
